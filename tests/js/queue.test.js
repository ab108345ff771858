import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { add, blamed, lose, newQueue, settle, take } from "../../static/js/queue.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/queue.json", import.meta.url)));
const op = (id, more = {}) => ({ t: "op", id, s: "board:7", k: "note.add", d: {}, ...more });
const ids = (ops) => ops.map(({ id }) => id);

const DEEDS = {
  add: (queue, { id }) => add(queue, op(id)),
  take: (queue, { now, most }) => ids(take(queue, now, most)),
  lose: (queue) => lose(queue),
  settle: (queue, { answer, now, random = 0 }) => settle(queue, answer, now, random)?.id ?? null,
  blame: (queue, { code }) => blamed(queue, code),
  pending: (queue, { s }) => ids([...queue.items.values()].map(({ op }) => op).filter((op) => s === undefined || op.s === s)),
};

for (const { says, rate, ops, steps } of vectors.steps) {
  test(`in the queue ${says}`, () => {
    const queue = newQueue(rate);
    for (const [id, more] of Object.entries(ops)) add(queue, op(id, more));
    for (const step of steps) assert.deepEqual(DEEDS[step.do](queue, step), step.expect);
  });
}

test("what was accepted once lets new words go first, unless they are about the same note", () => {
  const queue = newQueue();
  for (const id of ["a", "b"]) add(queue, op(id), true);
  for (const one of [op("e", { k: "note.edit", d: { note: "a" } }), op("n")]) add(queue, one);
  assert.deepEqual(ids(take(queue, 0)), ["n", "a", "b"]);
  settle(queue, { id: "a", ok: true, dup: true }, 10, 0);
  assert.deepEqual(ids(take(queue, 10)), ["e"]);
});

test("a full outbox drains no faster than the server allows", () => {
  const queue = newQueue();
  for (let i = 0; i < 60; i += 1) add(queue, op(`n${String(i).padStart(2, "0")}`));
  const sent = [];
  for (let now = 0; now < 10_000; now += 100) {
    for (const one of take(queue, now)) {
      sent.push(now);
      settle(queue, { id: one.id, ok: true }, now, 0);
    }
  }
  assert.equal(sent.length, 60);
  for (let now = 0; now < 10_000; now += 100) {
    assert.ok(sent.filter((at) => at > now - 1_000 && at <= now).length <= 10);
  }
});
