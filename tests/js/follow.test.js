import assert from "node:assert/strict";
import test from "node:test";

import { wayFrom } from "../../static/js/follow.js";

const guest = { role: "guest", seat: null };
const seated = { role: "guest", seat: { table: 3, board: 7 } };
const stage = (phase, session = 1) => ({ phase, session });

test("the lobby leads to the table when the session runs, for those who sit", () => {
  assert.equal(wayFrom({ page: "lobby" }, stage("running"), seated), "table");
  assert.equal(wayFrom({ page: "lobby" }, stage("running"), guest), "");
  assert.equal(wayFrom({ page: "lobby" }, stage("seating"), seated), "");
});

test("a table stays until the next session is seated, then leads to the lobby", () => {
  const page = { page: "table", board: "7", session: "1" };
  assert.equal(wayFrom(page, stage("over"), seated), "");
  assert.equal(wayFrom(page, stage("seating", 2), seated), "lobby");
});

test("who changes tables in mid-session goes to the new table", () => {
  assert.equal(wayFrom({ page: "table", board: "6", session: "1" }, stage("running"), seated), "table");
});

test("a seat of the session before is none in this one", () => {
  const before = { role: "guest", seat: { session: 1, table: 3, board: 7 } };
  assert.equal(wayFrom({ page: "table", board: "7", session: "1" }, stage("running", 2), before), "lobby");
  assert.equal(wayFrom({ page: "lobby", session: "2" }, stage("running", 2), before), "");
});

test("a lobby of the last session is read anew for the next", () => {
  assert.equal(wayFrom({ page: "lobby", session: "1" }, stage("seating", 2), guest), "lobby");
});

test("everything leads to the gallery, which stays", () => {
  for (const page of ["lobby", "table"]) assert.equal(wayFrom({ page }, stage("gallery"), seated), "gallery");
  for (const phase of ["gallery", "closed", "archived"]) assert.equal(wayFrom({ page: "gallery" }, stage(phase), seated), "");
});

test("a gallery whose moderator goes back leads back", () => {
  assert.equal(wayFrom({ page: "gallery" }, stage("seating", 2), guest), "lobby");
});

test("console, projector and one's own data stay; so does the moderator", () => {
  for (const page of ["console", "screen", "me"]) assert.equal(wayFrom({ page }, stage("gallery"), seated), "");
  assert.equal(wayFrom({ page: "table" }, stage("gallery"), { role: "moderator", seat: null }), "");
});
