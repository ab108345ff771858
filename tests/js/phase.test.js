import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { nextTurn, phaseAt, leftAt, placeOf, stageAt } from "../../static/js/phase.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/phase.json", import.meta.url)));

for (const { says, facts, now, phase, left } of vectors) {
  test(says, () => {
    assert.equal(phaseAt(facts, now), phase);
    assert.equal(leftAt(facts, now), left);
  });
}

const last = { phase: "running", session: 2, sessions: 2, ends_at: 10_000, paused_left: null, by_hand: false };

test("a page knows when the phase turns by itself next", () => {
  assert.equal(nextTurn(last, 1_000), 10_000);
  assert.equal(nextTurn(last, 10_500), 13_000);
  assert.equal(nextTurn(last, 13_000), null);
  assert.equal(nextTurn({ ...last, by_hand: true }, 10_500), null);
  assert.equal(nextTurn({ ...last, paused_left: 5 }, 1_000), null);
});

test("the stage as of now has the phase of now", () => {
  assert.deepEqual(stageAt(last, 13_000), { ...last, phase: "gallery", left: 0 });
});

test("the phase and the seat say where a guest is", () => {
  const places = (seated) => ["draft", "lobby", "seating", "running", "over", "gallery", "closed", "archived"].map((phase) => placeOf(phase, seated));
  assert.deepEqual(places(3), ["lobby", "lobby", "lobby", "table", "table", "gallery", "gallery", "gallery"]);
  assert.deepEqual(places(null), ["lobby", "lobby", "lobby", "lobby", "lobby", "gallery", "gallery", "gallery"]);
});
