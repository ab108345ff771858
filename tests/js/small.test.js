import assert from "node:assert/strict";
import test from "node:test";

import { announcer } from "../../static/js/words.js";
import { Drafts } from "../../static/js/drafts.js";
import { clockTime, form, holds } from "../../static/js/fill.js";
import { layOutInTime } from "../../static/js/laid.js";
import { Store } from "../../static/js/store.js";
import { watchTabs } from "../../static/js/tabs.js";

test("plural forms: zero only where it is offered, else what the language says", () => {
  assert.deepEqual([0, 1, 2].map((n) => form(n, ["one", "other"], "en")), ["other", "one", "other"]);
  assert.deepEqual([0, 1, 2].map((n) => form(n, ["zero", "one", "other"], "de")), ["zero", "one", "other"]);
  assert.equal(form(1, ["other"], "en"), "other");
});

test("conditions: something or nothing, equal to one of several, and the opposite", () => {
  const values = { a: 1, none: null, zero: 0, empty: "", list: [], no: false, word: "running", deep: { b: "x" } };
  for (const path of ["none", "zero", "empty", "list", "no", "unknown", "deep.c"]) assert.equal(holds(path, values), false, path);
  for (const path of ["a", "word", "deep", "deep.b", "!none", "word=running", "word=over|running", "!word=over"]) {
    assert.equal(holds(path, values), true, path);
  }
  assert.equal(holds("toString", values), false);
});

test("times stand in the event's own zone, round the clock", () => {
  assert.equal(clockTime(Date.UTC(2021, 7, 24, 22, 5), "Europe/Berlin"), "00:05");
  assert.equal(clockTime(Date.UTC(2021, 7, 24, 0, 0), "Asia/Kathmandu"), "05:45");
});

/** Timers that go on when they are told to. */
function stepwise() {
  const waiting = [];
  let time = 0;
  return {
    setTimeout: (act, ms) => waiting.push({ act, at: time + ms }),
    setInterval: (act, every) => waiting.push({ act, at: time + every, every }),
    tick(ms) {
      for (const end = time + ms; ; ) {
        const next = waiting.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        time = next ? next.at : end;
        if (!next) return;
        if (next.every) next.at += next.every;
        else waiting.splice(waiting.indexOf(next), 1);
        next.act();
      }
    },
  };
}

test("news are said at most every four seconds, numbers added up", () => {
  const timers = stepwise();
  const region = { textContent: "" };
  const said = [];
  const tell = announcer({ region, timers, say: (key, { n }) => (said.push(`${n} ${key}`), `${n} ${key}`) });
  tell("notes");
  timers.tick(0);
  tell("notes", { n: 2 });
  tell("notes", { n: 3 });
  timers.tick(3_999);
  assert.deepEqual(said, ["1 notes"]);
  timers.tick(1);
  assert.deepEqual(said, ["1 notes", "5 notes"]);
  timers.tick(20_000);
  tell("notes", { n: 4 });
  timers.tick(0);
  assert.equal(region.textContent, "4 notes");
});

test("what does not come again after a reset is gone", () => {
  const store = new Store({ room: [{ id: "table:1", seq: 1 }, { id: "table:2", seq: 2 }] });
  store.markStale("room");
  store.put("room", [{ id: "table:2", seq: 5 }, { id: "table:3", seq: 6 }]);
  assert.deepEqual(store.dropStale("room").map(({ part }) => part), [{ id: "table:1", seq: 1, gone: true }]);
  assert.deepEqual(store.all("room").map(({ id }) => id), ["table:2", "table:3"]);
});

class Channel {
  static open = new Set();
  constructor() {
    Channel.open.add(this);
  }
  postMessage(data) {
    for (const other of Channel.open) if (other !== this) other.onmessage({ data });
  }
}

test("a tab that answers is there; one that is silent for ten seconds is gone", () => {
  const timers = stepwise();
  const gone = [];
  const watch = (tab) => watchTabs({ name: "x", tab, Channel, timers, gone: (isGone) => tab === "a" && gone.push(["a", "b", "c"].filter(isGone)) });
  watch("a");
  const b = watch("b");
  timers.tick(600);
  assert.deepEqual(gone, [["c"]]);
  Channel.open.delete(b);
  b.postMessage = () => {};
  timers.tick(9_400);
  assert.deepEqual(gone.at(-1), ["c"]);
  timers.tick(10_000);
  assert.deepEqual(gone.at(-1), ["b", "c"]);
});

function field(text, dataset) {
  return { value: text, defaultValue: "", dataset, form: null, dispatchEvent() {} };
}

function memory() {
  return Object.defineProperties({}, {
    getItem: { value(key) { return this[key] ?? null; } },
    setItem: { value(key, value) { this[key] = value; } },
    removeItem: { value(key) { delete this[key]; } },
  });
}

function draftsOf(store, ...fields) {
  return new Drafts({ owner: "KEY/5", store, root: { querySelectorAll: () => fields, addEventListener() {} } });
}

test("half-typed text comes back into its field, and is offered where its field is not", () => {
  globalThis.Event ??= class {};
  const store = memory();
  const typed = field("Half a thou", { draft: "board:7", q: "12", tableName: "Table 3" });
  draftsOf(store, typed).keep(typed);
  const again = field("", typed.dataset);
  const samePage = draftsOf(store, again);
  samePage.start();
  assert.equal(again.value, "Half a thou");
  assert.deepEqual(samePage.homeless(), []);
  const [offered] = draftsOf(store).homeless();
  assert.deepEqual([offered.s, offered.q, offered.table, offered.text], ["board:7", 12, "Table 3", "Half a thou"]);
});

test("a field that was emptied keeps nothing; an event that is left keeps nothing", () => {
  const store = memory();
  const typed = field("Half", { draft: "board:7", q: "12" });
  const drafts = draftsOf(store, typed);
  drafts.keep(typed);
  assert.equal(drafts.open(), true);
  draftsOf(store).close("OTHER");
  assert.equal(Object.keys(store).length, 1);
  typed.value = " ";
  drafts.keep(typed);
  assert.equal(Object.keys(store).length, 0);
  typed.value = "Half";
  drafts.keep(typed);
  drafts.close("KEY");
  assert.equal(Object.keys(store).length, 0);
  drafts.keep(typed);
  assert.equal(Object.keys(store).length, 0);
});

test("the next person at the same device is not offered the words of the last", () => {
  const store = memory();
  const typed = field("Half", { draft: "board:7", q: "12" });
  draftsOf(store, typed).keep(typed);
  const next = new Drafts({ owner: "KEY/6", store, root: { querySelectorAll: () => [] } });
  assert.deepEqual(next.homeless(), []);
});

test("new words for a note are offered where the note is not one's own to edit", () => {
  const store = memory();
  const on = (notes, may) => new Drafts({ owner: "KEY/5", store, may, root: { querySelectorAll: () => [], querySelector: (asked) => notes[asked] ?? null } });
  const key = "zc-draft/KEY/5/board:7 edit abc";
  on({}).write(key, { s: "board:7", note: "abc", base: 3, text: "New words" });
  assert.deepEqual(on({}).homeless().map(({ note, base, text }) => [note, base, text]), [["abc", 3, "New words"]]);
  assert.deepEqual(on({ '[data-stream="board:7"] [data-mine][data-part="note:abc"]': {} }).homeless(), []);
  const shown = { '[data-stream="board:7"] [data-part="note:abc"]': {} };
  assert.equal(on(shown).homeless().length, 1);
  assert.deepEqual(on(shown, "").homeless(), []); // a moderator may edit everybody's
});

test("a page shown as it was left empties what was sent meanwhile, and nothing else", () => {
  const store = memory();
  const [sent, begun, unkept] = ["12", "13", "14"].map((q) => field("", { draft: "board:7", q }));
  const drafts = draftsOf(store, sent, begun, unkept);
  drafts.start();
  for (const one of [sent, begun]) drafts.keep(Object.assign(one, { value: "Half a thou" }));
  unkept.value = "Typed before the script came";
  draftsOf(store).remove(drafts.key(sent));
  drafts.returned();
  assert.deepEqual([sent, begun, unkept].map(({ value }) => value), ["", "Half a thou", "Typed before the script came"]);
  drafts.keep(Object.assign(begun, { value: "Half a thought" }));
  drafts.store = null;
  drafts.returned();
  assert.equal(begun.value, "Half a thought", "where nothing is kept, nothing says that it was sent");
});

test("what stands there already is no half-typed text", () => {
  const store = memory();
  const takeaway = Object.assign(field("Courage", { draft: "takeaway" }), { defaultValue: "Courage" });
  const drafts = draftsOf(store, takeaway);
  drafts.keep(Object.assign(takeaway, { value: "Courage, and" }));
  drafts.keep(Object.assign(takeaway, { value: "Courage" }));
  assert.deepEqual(Object.keys(store), []);
});

test("notes are laid out a few at a time, and only while there is nothing else to do", () => {
  const notes = Array.from({ length: 30 }, () => ({ dataset: {} }));
  const turns = [];
  const laid = () => notes.filter(({ dataset }) => dataset.laid === "").length;
  const turn = (spare) => turns.shift()({ timeRemaining: () => spare });
  layOutInTime([...notes], (act) => turns.push(act));
  const seen = [laid(), turn(3), laid(), turn(40), laid(), turn(40), turn(40), laid()];
  assert.deepEqual(seen.filter((n) => n !== undefined), [0, 0, 12, 30]);
  assert.equal(turns.length, 0, "and then no more");
  assert.ok(notes[0].dataset.laid === "" && notes[29].dataset.laid === "");
});

test("browsers that do not tell when there is time keep their notes as they are", () => {
  const notes = [{ dataset: {} }];
  layOutInTime(notes, undefined);
  assert.equal(notes[0].dataset.laid, undefined);
});
