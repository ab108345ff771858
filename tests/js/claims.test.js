import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { claims, leftovers, ownerOf, wasBefore } from "../../static/js/claims.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/claims.json", import.meta.url)));
const ids = (entries) => entries.map(({ id }) => id);

for (const { says, entries, has, gone, expect } of vectors.claims) {
  test(`of kept operations ${says}`, () => {
    const kept = entries.map(([id, owner, tab]) => ({ id, owner, tab }));
    const asked = { owner: "K/5", tab: "a", has: (id) => has.includes(id), isGone: (tab) => gone.includes(tab) };
    assert.deepEqual(ids(claims(kept, asked)), expect);
  });
}

for (const { says, entries, now, expect } of vectors.leftovers) {
  test(`of kept operations ${says}`, () => {
    const kept = entries.map(([id, owner, at]) => ({ id, owner, at }));
    assert.deepEqual(ids(leftovers(kept, { owner: "K/5", now })), expect);
  });
}

test("a browser holds the words of one guest and of the moderator of an event, and knows who was here before", () => {
  assert.equal(ownerOf("KEY", { id: 5, role: "guest" }), "KEY/5");
  assert.equal(ownerOf("KEY", { id: 5, role: "moderator" }), "KEY/m5");
  assert.deepEqual(["KEY/5", "KEY/4", "KEY/m4", "OTHER/4"].filter((owner) => wasBefore(owner, "KEY/5")), ["KEY/4"]);
  assert.deepEqual(["KEY/5", "KEY/m5"].filter((owner) => wasBefore(owner, "KEY/m5")), []);
});
