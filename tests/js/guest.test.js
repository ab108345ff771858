import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, room } from "../../static/js/composer.js";
import { pull, sideOf } from "../../static/js/drag.js";
import { addressOf, sum as heads } from "../../static/js/gallery.js";
import { hasRoom, seatsOpen, sum, wish } from "../../static/js/lobby.js";
import { begun, places } from "../../static/js/notedialogs.js";
import { entries } from "../../static/js/notemenu.js";
import { above, below, dropped } from "../../static/js/places.js";

const ids = ["a", "b", "c"];

test("a note goes up behind the one before its neighbour", () => {
  assert.deepEqual(ids.map((id) => above(ids, id)), [undefined, null, "a"]);
});

test("a note goes down behind its neighbour", () => {
  assert.deepEqual(ids.map((id) => below(ids, id)), ["b", "c", undefined]);
});

test("a note that is not there goes nowhere", () => {
  assert.deepEqual([above(ids, "x"), below(ids, "x")], [undefined, undefined]);
});

test("a note is dropped before, after, or at the end of another list", () => {
  assert.equal(dropped(ids, "c", "a", "before"), null);
  assert.equal(dropped(ids, "c", "a", "after"), "a");
  assert.equal(dropped(ids, "x", "b", "before"), "a");
  assert.equal(dropped(ids, "x", null, "after"), "c");
  assert.equal(dropped([], "x", null, "after"), null);
});

test("a note dropped where it stands does not move", () => {
  assert.equal(dropped(ids, "b", "a", "after"), undefined);
  assert.equal(dropped(ids, "b", "c", "before"), undefined);
  assert.equal(dropped(ids, "a", "b", "before"), undefined);
  assert.equal(dropped(ids, "c", null, "after"), undefined);
});

test("in a single column the height decides, else the width", () => {
  const box = { left: 0, top: 0, width: 300, height: 100 };
  assert.equal(sideOf(box, { x: 290, y: 10 }, 320), "before");
  assert.equal(sideOf(box, { x: 10, y: 90 }, 320), "after");
  assert.equal(sideOf(box, { x: 10, y: 90 }, 700), "before");
});

test("the window scrolls when a note is held at its edge", () => {
  assert.deepEqual([10, 400, 790].map((y) => Math.sign(pull(y, 800))), [-1, 0, 1]);
});

test("the room for a note is told near its end and beyond", () => {
  assert.deepEqual(room("x".repeat(899)), { left: 0, over: 0 });
  assert.deepEqual(room("x".repeat(960)), { left: 40, over: 0 });
  assert.deepEqual(room(`${"x".repeat(1_003)}  \n`), { left: 0, over: 3 });
});

test("an emoji is as long as the server counts it, and composed letters are one", () => {
  assert.deepEqual(room("😀".repeat(1_000)), { left: 0, over: 0 });
  assert.deepEqual(room("e\u0301".repeat(1_001)), { left: 0, over: 1 });
});

test("pasted lines lose their bullets and blank lines, words with dashes stay", () => {
  assert.deepEqual(linesOf("- one\r\n\n• two\n 3. three\n-4 degrees\n"), ["one", "two", "three", "-4 degrees"]);
});

test("seats can be taken while seating and running", () => {
  const phases = ["draft", "lobby", "seating", "running", "over", "gallery"];
  assert.deepEqual(phases.filter(seatsOpen), ["seating", "running"]);
});

test("a chair that is kept for the host is free for the host alone", () => {
  const table = { open: true, full: true, taken: 3, cap: 4, host: 7 };
  assert.deepEqual([7, 8].map((id) => hasRoom(table, { id })), [true, false]);
  assert.deepEqual([{ ...table, taken: 4 }, { ...table, open: false }].map((full) => hasRoom(full, { id: 7 })), [false, false]);
  assert.equal(hasRoom({ ...table, full: false }, { id: 8 }), true);
});

test("empty seats of a closed table are not counted", () => {
  assert.deepEqual(sum([{ taken: 2, cap: 5, open: true }, { taken: 1, cap: 5, open: false }]), { taken: 3, cap: 5 });
});

test("only taking a seat names a table", () => {
  assert.deepEqual([wish("seat.take", "7"), wish("seat.any", ""), wish("seat.leave")], [{ table: 7 }, {}, {}]);
});

test("an exhibit is asked for by its head, and heads only rise", () => {
  assert.equal(addressOf("/e/K/gallery/7", { head: 12 }, "0198c0de-aaaa"), "/e/K/gallery/7?at=12&of=0198c0de");
  assert.equal(heads([{ head: 2 }, { text: "x" }, { head: 3 }]), 5);
});

test("what was begun in Edit comes with what others have made of the note since, or alone", () => {
  const part = { note: "b", text: "Now", edited: 2 };
  assert.deepEqual(begun(null, part), { text: undefined, theirs: null });
  assert.deepEqual(begun({ text: "Begun", base: 2 }, part), { text: "Begun", theirs: false });
  assert.deepEqual(begun({ text: "Begun", base: 1 }, part), { text: "Begun", theirs: "Now" });
});

const note = { note: "b", by: 5, hidden: false };
const shown = (menu) => Object.keys(menu).filter((name) => menu[name]);

test("an author may change, move and delete a note while the session runs", () => {
  const menu = entries(note, { me: { id: 5, role: "guest" }, canMove: true, ids, closed: false });
  assert.deepEqual(shown(menu), ["edit", "colour", "up", "down", "move", "gone"]);
});

test("others at the table may only move it", () => {
  const menu = entries(note, { me: { id: 6, role: "guest" }, canMove: true, ids, closed: false });
  assert.deepEqual(shown(menu), ["up", "down", "move"]);
});

test("after the session an author may still edit and delete, until the event is closed", () => {
  const me = { id: 5, role: "guest" };
  assert.deepEqual(shown(entries(note, { me, canMove: false, ids, closed: false })), ["edit", "colour", "gone"]);
  assert.deepEqual(shown(entries(note, { me, canMove: false, ids, closed: true })), []);
});

test("a moderator hides what is shown and shows what is hidden", () => {
  const me = { id: 1, role: "moderator" };
  assert.equal(entries(note, { me, canMove: true, ids, closed: false }).hide, true);
  assert.equal(entries({ ...note, hidden: true }, { me, canMove: true, ids, closed: false }).show, true);
});

test("places name the notes in few words", () => {
  const words = (key, values = {}) => `${key} ${values.text ?? ""}`.trim();
  const found = places([{ note: "a", text: "One\ntwo" }, { note: "b", text: "x" }, { note: "c", text: "y".repeat(60) }], "b", words);
  assert.deepEqual(found, [
    { value: "", text: "first" },
    { value: "a", text: "after One two" },
    { value: "c", text: `after ${"y".repeat(39)}…` },
  ]);
});
