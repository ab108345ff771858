import assert from "node:assert/strict";
import test from "node:test";

import { crossed, face, figures, ServerClock } from "../../static/js/clock.js";
import { stageAt } from "../../static/js/phase.js";

const part = { phase: "running", session: 1, sessions: 2, ends_at: 1_200_000, paused_left: null, by_hand: false, minutes: 20 };

test("the clock shows what is left, as a cup, as figures and as a word", () => {
  assert.deepEqual(face(stageAt(part, 0)), { hidden: false, figures: "20:00", share: 100, word: "left" });
  assert.deepEqual(face(stageAt(part, 1_151_001)), { hidden: false, figures: "00:49", share: 4, word: "last" });
  assert.deepEqual(face(stageAt({ ...part, paused_left: 600_000 }, 9e9)), { hidden: false, figures: "10:00", share: 50, word: "paused" });
  assert.deepEqual(face(stageAt(part, 1_200_000)), { hidden: false, figures: "00:00", share: 0, word: "over" });
  assert.deepEqual(face(stageAt({ ...part, phase: "seating" }, 0)), { hidden: false, figures: "20:00", share: 100, word: "waiting" });
  assert.equal(face(stageAt({ ...part, phase: "gallery" }, 0)).hidden, true);
});

test("the second that has begun counts", () => {
  assert.deepEqual([0, 1, 1_000, 59_001, 3_600_000].map(figures), ["00:00", "00:01", "00:01", "01:00", "60:00"]);
});

test("five minutes, one minute and thirty seconds are crossed once, and not by opening the page late", () => {
  assert.equal(crossed(300_500, 299_500), 300);
  assert.equal(crossed(299_500, 298_500), null);
  assert.equal(crossed(60_001, 60_000), 60);
  assert.equal(crossed(400_000, 25_000), 30);
  assert.equal(crossed(null, 20_000), null);
  assert.equal(crossed(30_500, 0), null);
});

test("a device whose clock is ten years wrong shows the server's time", () => {
  const wrong = -315_360_000_000;
  const clock = new ServerClock(1_000, 1_000 + wrong);
  assert.equal(clock.now(5_000 + wrong), 5_000);
});

test("the quickest message tells the time best, a pong knows how long it took", () => {
  const clock = new ServerClock(10_000, 10_400);
  clock.hear(12_000, 12_050);
  assert.equal(clock.now(12_050), 12_000);
  clock.hear(14_000, 14_300);
  assert.equal(clock.now(14_300), 14_250);
  clock.hear(16_100, 16_200, 16_000);
  assert.equal(clock.now(16_200), 16_200);
});

test("a device whose clock is set in between takes the server's time anew", () => {
  const clock = new ServerClock(10_000, 10_000);
  clock.hear(20_000, 3_620_000);
  assert.equal(clock.now(3_620_000), 20_000);
  clock.hear(25_000, 25_000);
  assert.equal(clock.now(25_000), 25_000);
});
