import assert from "node:assert/strict";
import { test } from "node:test";

import { nextEntry, placeMenu } from "../../static/js/base.js";
import { forgetEverything } from "../../static/js/left.js";

const view = { width: 360, height: 800 };
const menu = { width: 264, height: 300 };

test("a menu hangs right-aligned under its button", () => {
  assert.deepEqual(placeMenu({ top: 100, bottom: 144, right: 340 }, menu, view), { left: 76, top: 144 });
});

test("a menu without room below stands above its button", () => {
  assert.deepEqual(placeMenu({ top: 700, bottom: 744, right: 340 }, menu, view), { left: 76, top: 400 });
});

test("a menu never leaves the window", () => {
  assert.deepEqual(placeMenu({ top: 100, bottom: 144, right: 60 }, menu, view), { left: 8, top: 144 });
  assert.deepEqual(placeMenu({ top: 20, bottom: 64, right: 360 }, { width: 264, height: 790 }, view), { left: 88, top: 8 });
});

test("arrow keys go round, Home and End to the ends", () => {
  assert.equal(nextEntry("ArrowDown", 2, 3), 0);
  assert.equal(nextEntry("ArrowUp", 0, 3), 2);
  assert.equal(nextEntry("Home", 2, 3), 0);
  assert.equal(nextEntry("End", 0, 3), 2);
});

test("whoever leaves leaves nothing on the device", async () => {
  const gone = [];
  const store = () => ({ clear: () => gone.push("store") });
  const indexedDB = { databases: async () => [{ name: "zoomcafe" }], deleteDatabase: (name) => gone.push(name) };
  await forgetEverything({ indexedDB, localStorage: store(), sessionStorage: store() });
  assert.deepEqual(gone, ["store", "store", "zoomcafe"]);
  await forgetEverything({ localStorage: undefined, sessionStorage: undefined });
});
