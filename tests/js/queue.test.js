import assert from "node:assert/strict";
import test from "node:test";

import { add, lose, newQueue, pending, settle, take } from "../../static/js/queue.js";

const op = (id, d = {}, k = "note.add", s = "board:7") => ({ t: "op", id, s, k, d });
const filled = (...ops) => ops.reduce((queue, one) => (add(queue, one), queue), newQueue());
const ids = (ops) => ops.map(({ id }) => id);

test("operations go out once and wait for their answer", () => {
  const queue = filled(op("a"), op("b"));
  assert.deepEqual(ids(take(queue, 0)), ["a", "b"]);
  assert.deepEqual(take(queue, 1_000), []);
  assert.deepEqual(settle(queue, { id: "a", ok: true }, 1_100, 0), op("a"));
  assert.deepEqual(ids(pending(queue)), ["b"]);
});

test("what is about one note goes out one after the other", () => {
  const queue = filled(op("a"), op("e", { note: "a" }, "note.edit"), op("g", { note: "a" }, "note.gone"), op("b"));
  assert.deepEqual(ids(take(queue, 0)), ["a", "b"]);
  settle(queue, { id: "a", ok: true }, 10, 0);
  assert.deepEqual(ids(take(queue, 10)), ["e"]);
  settle(queue, { id: "e", ok: true }, 20, 0);
  assert.deepEqual(ids(take(queue, 20)), ["g"]);
});

test("what was accepted once lets new words go first, unless they are about the same note", () => {
  const queue = newQueue();
  for (const one of [op("a"), op("b")]) add(queue, one, true);
  for (const one of [op("e", { note: "a" }, "note.edit"), op("n")]) add(queue, one);
  assert.deepEqual(ids(take(queue, 0)), ["n", "a", "b"]);
  settle(queue, { id: "a", ok: true, dup: true }, 10, 0);
  assert.deepEqual(ids(take(queue, 10)), ["e"]);
});

test("seats are asked for one after the other", () => {
  const queue = filled(op("a", { table: 1 }, "seat.take", "room"), op("b", { table: 2 }, "seat.take", "room"));
  assert.deepEqual(ids(take(queue, 0)), ["a"]);
});

test("a broken line makes everything wait again, in the old order", () => {
  const queue = filled(op("a"), op("b"));
  take(queue, 0);
  lose(queue);
  assert.deepEqual(ids(take(queue, 1_500)), ["a", "b"]);
});

test("what is not answered for fifteen seconds goes out again under the same id", () => {
  const queue = filled(op("a"));
  take(queue, 0);
  assert.deepEqual(take(queue, 14_999), []);
  assert.deepEqual(ids(take(queue, 15_000)), ["a"]);
});

test("`busy` is no last word: the operation waits and goes out again, later each time", () => {
  const queue = filled(op("a"));
  take(queue, 0);
  assert.equal(settle(queue, { id: "a", ok: false, retry: true, code: "busy" }, 100, 0), null);
  assert.deepEqual(take(queue, 300), []);
  assert.deepEqual(ids(take(queue, 1_300)), ["a"]);
  settle(queue, { id: "a", ok: false, retry: true, code: "rate_limited", after_ms: 9_000 }, 1_400, 0);
  assert.deepEqual(take(queue, 10_000), []);
  assert.deepEqual(ids(take(queue, 10_400)), ["a"]);
});

test("a final refusal ends it", () => {
  const queue = filled(op("a"));
  take(queue, 0);
  assert.deepEqual(settle(queue, { id: "a", ok: false, retry: false, code: "no_seat" }, 10, 0), op("a"));
  assert.deepEqual(pending(queue), []);
  assert.equal(settle(queue, { id: "a", ok: true }, 20, 0), null);
});

test("a full outbox drains no faster than the server allows", () => {
  const queue = filled(...Array.from({ length: 60 }, (_, i) => op(`n${String(i).padStart(2, "0")}`)));
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
