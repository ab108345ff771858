import assert from "node:assert/strict";
import { test } from "node:test";

import { Asked, askedAt } from "../../static/js/asked.js";

const question = (id) => ({ id, text: "?" });
const stage = (ids, session = 1) => ({ session, questions: ids.map(question) });

globalThis.document ??= { querySelector: () => null };

/** A page with questions 1 and 2 of session 1; `typing` holds it back. */
function page({ typing = false } = {}) {
  const kept = { now: 0, read: 0, typing };
  const options = { now: () => kept.now, random: () => 0.5, go: () => (kept.read += 1), open: () => ({ draft: kept.typing }) };
  return Object.assign(kept, { asked: new Asked({ shown: [1, 2], session: 1, ...options }) });
}

test("a table asks its own questions, else everybody's", () => {
  assert.deepEqual(askedAt(stage([1, 2]), { questions: [] }), [1, 2]);
  assert.deepEqual(askedAt(stage([1, 2]), { questions: [question(7)] }), [7]);
  assert.deepEqual(askedAt(stage([1, 2]), undefined), [1, 2]);
});

test("a page whose questions are as they were stays", () => {
  const { asked, ...kept } = page();
  asked.look(stage([1, 2]), undefined);
  assert.equal(kept.read, 0);
});

test("a page with another question is read anew, a moment later and once", () => {
  const kept = page();
  for (const now of [0, 999, 1_000, 2_000]) {
    kept.now = now;
    kept.asked.look(stage([1, 2, 3]), undefined);
  }
  assert.equal(kept.read, 1);
});

test("a page with half-typed text waits until the text is gone", () => {
  const kept = page({ typing: true });
  kept.asked.look(stage([2, 1]), undefined);
  kept.now = 60_000;
  kept.asked.look(stage([2, 1]), undefined);
  assert.equal(kept.read, 0);
  kept.typing = false;
  kept.asked.look(stage([2, 1]), undefined);
  assert.equal(kept.read, 1);
});

test("questions of another session are none of this page's business", () => {
  const kept = page();
  kept.asked.look(stage([8, 9], 2), undefined);
  kept.now = 10_000;
  kept.asked.look(stage([8, 9], 2), undefined);
  assert.equal(kept.read, 0);
});
