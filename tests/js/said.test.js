import assert from "node:assert/strict";
import test from "node:test";

import { isUnread, saying } from "../../static/js/said.js";

const word = "Please come to an end";

test("a word that was put away stays away, and comes again when it is said again", () => {
  const [first, again] = [{ word, said: "one" }, { word, said: "two" }];
  assert.equal(isUnread(first, ""), true);
  assert.equal(isUnread(first, saying(first)), false);
  assert.equal(isUnread(again, saying(first)), true);
});

test("without a word there is nothing to read", () => {
  for (const stage of [undefined, { word: "", said: null }]) {
    assert.deepEqual([saying(stage), isUnread(stage, ""), isUnread(stage, "one")], ["", false, false]);
  }
});

test("a server that does not tell one saying from another has its words read once", () => {
  assert.deepEqual([isUnread({ word }, ""), isUnread({ word }, saying({ word }))], [true, false]);
});
