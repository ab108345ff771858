import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { operation } from "../../static/js/acts.js";
import { personView } from "../../static/js/person.js";
import { harvest, lead, mapSize, nextStep, sums } from "../../static/js/steps.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/steps.json", import.meta.url), "utf8"));

for (const { name, facts, now, step } of vectors.steps) {
  test(`the next step: ${name}`, () => assert.deepEqual(nextStep(facts, now), step));
}

for (const { name, room, numbers, phase, sums: wanted } of vectors.sums) {
  test(`the sums: ${name}`, () => {
    const { waiting, ...rest } = sums(room, numbers, phase);
    assert.deepEqual(rest, wanted);
    assert.deepEqual(waiting, numbers.lobby);
  });
}

test("minutes can still be added to a session that has just run out, not to one that was ended", () => {
  const ran = { phase: "running", session: 1, sessions: 2, ends_at: 1_000, paused_left: null, by_hand: false };
  assert.equal(lead(ran, 2_000).clock, true);
  assert.equal(lead({ ...ran, phase: "over", ends_at: null }, 2_000).clock, false);
});

test("a paused session says so and can be ended", () => {
  const paused = { phase: "running", session: 1, sessions: 2, ends_at: 1_000, paused_left: 500, by_hand: false };
  const { talk, next, next_no } = lead(paused, 9_000);
  assert.deepEqual({ talk, next, next_no }, { talk: "paused", next: "over", next_no: 1 });
});

test("a form becomes an operation; what was typed stays text even when it looks like a number", () => {
  const fields = [
    { name: "csrfmiddlewaretoken", value: "x", typed: false },
    { name: "id", value: "y", typed: false },
    { name: "s", value: "stage", typed: false },
    { name: "k", value: "word.say", typed: false },
    { name: "text", value: "42", typed: true },
    { name: "minutes", value: "-1", typed: false },
    { name: "open", value: "false", typed: false },
  ];
  assert.deepEqual(operation(fields), {
    stream: "stage",
    kind: "word.say",
    data: { text: "42", minutes: -1, open: false },
  });
});

test("the walls are counted, hidden and gone parts are not there to count", () => {
  const gallery = [{ id: "exhibit:1", count: 4 }, { id: "exhibit:2", count: 3 }, { id: "takeaway:9" }, { id: "closing", text: "Courage" }];
  assert.deepEqual(harvest(gallery), { notes: 7, takeaways: 1, text: "Courage" });
});

test("the projector draws few tables, numbers some, and sums up many", () => {
  assert.deepEqual([9, 10, 23, 24].map(mapSize), ["few", "some", "some", "many"]);
});

const hosting = (values) => ({ no: 1, taken: 0, cap: 2, open: true, full: false, host: null, waits: "", seats: [], ...values });

test("the person dialog offers to make somebody host of the chosen table, unless they are", () => {
  const room = [hosting({ table: 1, name: "Bar", host: 7, waits: "Ben" }), hosting({ table: 2, name: "Window" })];
  const asked = (id, chosen) => (({ name, hosts, chosen: offered }) => ({ name, hosts, offered }))(personView(id, room, null, chosen));
  assert.deepEqual(asked(7, 1), { name: "Ben", hosts: "Bar", offered: "" });
  assert.deepEqual(asked(7, 2), { name: "Ben", hosts: "Bar", offered: "Window" });
  assert.deepEqual(asked(8, 1), { name: "", hosts: "", offered: "Bar" });
});

test("a full table can be chosen by who sits there and by the host whose chair is kept", () => {
  const room = [
    hosting({ table: 1, taken: 2, full: true, seats: [{ p: 8, name: "Cem" }] }),
    hosting({ table: 2, taken: 1, full: true, host: 7, waits: "Ben" }),
  ];
  const open = (id) => personView(id, room, null).tables.filter(({ full }) => !full).map(({ table }) => table);
  assert.deepEqual([open(7), open(8), open(9)], [[2], [1], []]);
});

test("the person dialog knows where somebody sits and offers the emptiest table", () => {
  const room = [
    { table: 1, no: 1, name: "Table 1", taken: 2, cap: 5, full: false, seats: [{ p: 7, name: "Cem" }] },
    { table: 2, no: 2, name: "Table 2", taken: 1, cap: 5, full: false, seats: [] },
  ];
  const { name, at, table, emptiest, tables } = personView(7, room, { lobby: [], away: [{ p: 7, since: 5 }] });
  assert.deepEqual({ name, at, table, emptiest }, { name: "Cem", at: "Table 1", table: 1, emptiest: 2 });
  assert.equal(tables[1].label, "Table 2 · 1/5");
  assert.equal(personView(8, room, { lobby: [{ p: 8, name: "Dana" }] }).name, "Dana");
  assert.equal(personView(9, room, null).name, "");
});
