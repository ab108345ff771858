import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

import { isLate } from "../../static/js/late.js";
import { madeAt, uuid7 } from "../../static/js/uuid7.js";

globalThis.crypto ??= webcrypto;

const NOW = 1_796_000_000_000;
const made = (k, ago) => ({ id: uuid7(NOW - ago), k });

test("an id tells when it was made", () => {
  for (const at of [0, 1, NOW, 2 ** 47]) assert.equal(madeAt(uuid7(at)), at);
});

for (const k of ["phase.go", "phase.next", "clock.add", "word.say", "table.set", "person.set", "seat.put"]) {
  test(`${k} goes out again after a short break of the line, and not a quarter of a minute later`, () => {
    assert.equal(isLate(made(k, 15_000), NOW), false);
    assert.equal(isLate(made(k, 15_001), NOW), true);
  });
}

for (const k of ["seat.take", "seat.any", "seat.leave"]) {
  test(`${k} waits a minute`, () => {
    assert.equal(isLate(made(k, 60_000), NOW), false);
    assert.equal(isLate(made(k, 60_001), NOW), true);
  });
}

for (const k of ["note.add", "note.edit", "note.gone", "takeaway.set", "closing.set"]) {
  test(`${k} may arrive whenever it does`, () => assert.equal(isLate(made(k, 86_400_000), NOW), false));
}
