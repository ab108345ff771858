import assert from "node:assert/strict";
import test from "node:test";

import { Parts } from "../../static/js/parts.js";

globalThis.document ??= { hidden: true };
const drawn = () => new Promise((resolve) => setTimeout(resolve, 5));
const parts = () => new Parts({ root: { querySelectorAll: () => [] }, reader: {}, lay: () => {} });
const change = (id) => ({ s: "stage", part: { id } });

test("who listens is told also of what arrives in the same picture as one's own preview", async () => {
  const [view, told] = [parts(), []];
  view.put([change("note:1")]);
  view.put([change("now")], (all) => told.push(all.map(({ part }) => part.id)));
  await drawn();
  assert.deepEqual(told, [["note:1", "now"]]);
});

test("each picture tells once, and a preview alone nobody", async () => {
  const [view, told] = [parts(), []];
  const tell = (all) => told.push(all.length);
  view.put([change("now")], tell);
  view.put([change("seat")], tell);
  await drawn();
  view.put([change("note:1")]);
  await drawn();
  assert.deepEqual(told, [2]);
});
