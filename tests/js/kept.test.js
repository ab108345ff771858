import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

import { excess, isLate, keeps, lostWords, offers, progress, seatWish } from "../../static/js/kept.js";
import { uuid7 } from "../../static/js/uuid7.js";

globalThis.crypto ??= webcrypto;

const RUNNING = { phase: "running", session: 1 };
const add = (id, more = {}) => ({ id, epoch: "old", when: RUNNING, op: { id, s: "board:7", k: "note.add", d: { q: 1, text: id } }, ...more });
const about = (id, k, note, d = {}, more = {}) => add(id, { op: { id, s: "board:7", k, d: { note, ...d } }, ...more });
const takeaway = (id, text, more = {}) => add(id, { when: { phase: "gallery", session: 2 }, op: { id, s: "gallery", k: "takeaway.set", d: { text } }, ...more });
const ids = (entries) => entries.map((entry) => entry.id);
const at = (entries, stage = RUNNING, there = null) => {
  const { now, held, done, words } = offers(entries, { epoch: "new", stage, text: () => there });
  return { now: ids(now), held: ids(held), done, words: ids(words) };
};

test("a person's words are kept, steps of the event and seats are not", () => {
  for (const k of ["note.add", "note.edit", "note.gone", "note.back", "note.move", "note.hide", "takeaway.set", "closing.set"]) assert.ok(keeps({ k }), k);
  for (const k of ["phase.next", "clock.add", "seat.take", "seat.leave", "table.set", "person.set", "word.say"]) assert.ok(!keeps({ k }), k);
});

test("what is too many or too much goes, the oldest first", () => {
  const entries = Array.from({ length: 5 }, (_, i) => add(`n${i}`, { at: i }));
  assert.deepEqual(excess(entries), []);
  assert.deepEqual(excess(entries, { most: 3 }).sort(), ["n0", "n1"]);
  const size = JSON.stringify(entries[0]).length;
  assert.deepEqual(excess(entries, { bytes: 2 * size }).sort(), ["n0", "n1", "n2"]);
  assert.deepEqual(excess(Array.from({ length: 310 }, (_, i) => add(`m${i}`, { at: i }))).length, 10);
});

test("an event's way only leads on", () => {
  const way = [["draft", null], ["lobby", null], ["seating", 1], ["running", 1], ["over", 1], ["seating", 2], ["running", 2], ["over", 2], ["gallery", 2]];
  const steps = way.map(([phase, session]) => progress({ phase, session }));
  assert.deepEqual(steps, [...steps].sort((one, other) => one - other));
  assert.equal(new Set(steps).size, way.length - 1);
});

test("what was accepted in another epoch is handed in again, in its order", () => {
  assert.deepEqual(at([about("c", "note.edit", "a", { text: "x" }), add("b"), add("a")]).now, ["a", "b", "c"]);
  assert.deepEqual(at([add("a", { epoch: "new" }), add("b")]), { now: ["b"], held: [], done: [], words: [] });
  assert.deepEqual(at([add("a", { when: null })]).now, ["a"]);
});

test("what was accepted in a session that has not begun again waits for it", () => {
  for (const phase of ["lobby", "seating"]) assert.deepEqual(at([add("a")], { phase, session: 1 }).held, ["a"], phase);
  for (const phase of ["running", "over", "gallery", "closed"]) assert.deepEqual(at([add("a")], { phase, session: 1 }).now, ["a"], phase);
  assert.deepEqual(at([add("a", { when: { phase: "running", session: 2 } })], { phase: "over", session: 1 }).held, ["a"]);
});

test("of a note that its author deleted only the deletion is handed in", () => {
  const entries = [add("a"), about("b", "note.edit", "a", { text: "x" }), about("c", "note.gone", "a"), add("d")];
  assert.deepEqual(at(entries), { now: ["c", "d"], held: [], done: ["a", "b"], words: [] });
  assert.deepEqual(at([...entries, about("e", "note.back", "a")]).now, ["a", "b", "c", "d", "e"]);
});

test("a takeaway never replaces what was shared later", () => {
  const gallery = { phase: "gallery", session: 2 };
  const two = [takeaway("a", "first"), takeaway("b", "second")];
  assert.deepEqual(at(two, RUNNING, "").held, ["a", "b"]);
  assert.deepEqual(at(two, gallery, null), { now: [], held: ["b"], done: ["a"], words: [] });
  assert.deepEqual(at(two, gallery, ""), { now: ["b"], held: [], done: ["a"], words: [] });
  assert.deepEqual(at(two, gallery, "first"), { now: ["b"], held: [], done: ["a"], words: [] });
  assert.deepEqual(at(two, gallery, "second"), { now: [], held: [], done: ["a", "b"], words: [] });
  assert.deepEqual(at(two, gallery, "from my telephone"), { now: [], held: [], done: ["a"], words: ["b"] });
  assert.deepEqual(at([...two, takeaway("c", "new", { epoch: "new" })], gallery, "new").done, ["a", "b"]);
});

test("a seat that was lost is taken again while its session is on", () => {
  const before = { session: 1, table: 3, epoch: "old" };
  const wish = (phase, session, table = null, was = before) => seatWish(was, { epoch: "new", stage: { phase, session }, table });
  assert.deepEqual(["lobby", "seating", "running", "over", "gallery"].map((phase) => wish(phase, 1)), ["wait", "sit", "sit", "drop", "drop"]);
  assert.equal(wish("seating", 2), "drop");
  assert.equal(wish("running", 1, 4), "keep");
  assert.equal(wish("running", 1, 3), "keep");
  assert.equal(wish("running", 1, 3, { ...before, epoch: "new" }), "");
  assert.equal(wish("seating", 2, 3, { ...before, epoch: "new" }), "keep");
  assert.equal(wish("running", 1, null, { ...before, epoch: "new" }), "drop");
  assert.equal(wish("running", 1, null, null), "");
});

test("only a refusal that loses words says so", () => {
  const refused = new Set(["a"]);
  const lost = (entry, answer) => lostWords(entry.op, answer, refused);
  assert.equal(lost(add("n"), { code: "no_seat" }), "n");
  assert.equal(lost(add("n"), { code: "op_id_conflict" }), "");
  assert.equal(lost(about("e", "note.edit", "b", { text: "x" }), { code: "not_found" }), "");
  assert.equal(lost(about("e", "note.edit", "a", { text: "x" }), { code: "not_found" }), "x");
  assert.equal(lost(about("e", "note.edit", "b", { text: "x" }), { code: "conflict", part: { text: "x" } }), "");
  assert.equal(lost(about("e", "note.edit", "b", { text: "x" }), { code: "conflict", part: { text: "y" } }), "x");
  assert.equal(lost(about("m", "note.move", "b"), { code: "session_closed" }), "");
});

const NOW = 1_796_000_000_000;
const made = (k, ago) => ({ id: uuid7(NOW - ago), k });

for (const k of ["phase.go", "phase.next", "clock.add", "word.say", "table.set", "person.set", "seat.put", "seat.take", "seat.any"]) {
  test(`${k} goes out again after a break of half a minute, and no later`, () => {
    assert.equal(isLate(made(k, 29_999), NOW), false);
    assert.equal(isLate(made(k, 30_001), NOW), true);
  });
}

for (const k of ["note.add", "note.edit", "note.gone", "takeaway.set", "closing.set"]) {
  test(`${k} may arrive whenever it does`, () => assert.equal(isLate(made(k, 86_400_000), NOW), false));
}
