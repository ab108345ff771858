import assert from "node:assert/strict";
import test from "node:test";

import { placed } from "../../static/js/deeds.js";

test("a step is here if this tab took it, else at another console", () => {
  const done = [{ op: "b", kind: "clock.pause" }, { op: "a", kind: "phase.go" }];
  assert.deepEqual(placed(done, new Set(["a"])).map(({ op, where }) => [op, where]), [["b", "elsewhere"], ["a", "here"]]);
  assert.deepEqual(placed([], new Set()), []);
});
