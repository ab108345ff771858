import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { newToken, renamed, wishOf } from "../../static/js/pieces.js";
import { seatsAdvice } from "../../static/js/plan.js";
import { preview } from "../../static/js/preview.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/preview.json", import.meta.url), "utf8"));

for (const { name, typed, preview: wanted } of vectors) {
  test(`the preview: ${name}`, () => assert.deepEqual(preview(typed), wanted));
}

test("a button says what it does with what", () => {
  assert.deepEqual(wishOf("add-session"), { verb: "add", what: "session" });
  assert.deepEqual(wishOf("remove-question"), { verb: "remove", what: "question" });
  assert.deepEqual(wishOf("question-up"), { verb: "up", what: "question" });
  assert.deepEqual(wishOf("session-down"), { verb: "down", what: "session" });
});

test("a new token is one that nothing has", () => {
  assert.equal(newToken(new Set()), "n0");
  assert.equal(newToken(new Set(["n0", "12", "n2"])), "n1");
});

test("the names of a copied piece are its own", () => {
  assert.equal(renamed("id_sSESSION-qQUESTION-text", { SESSION: "12", QUESTION: "n3" }), "id_s12-qn3-text");
  assert.equal(renamed("id_t0-name", { "t0-": "t11-" }), "id_t11-name");
});

test("seats outside four to six come with advice", () => {
  assert.deepEqual(["3", "4", "6", "7", "", "x"].map(seatsAdvice), ["few", "", "", "many", "", ""]);
});
