import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { uuid7 } from "../../static/js/uuid7.js";

globalThis.crypto ??= webcrypto;

const vectors = JSON.parse(readFileSync(new URL("../vectors/uuid7.json", import.meta.url)));

for (const { now, bytes, id } of vectors) {
  test(`${id} is made of its time and its random bytes`, () => {
    assert.equal(uuid7(now, Uint8Array.from(Buffer.from(bytes, "hex"))), id);
  });
}

test("ids of different milliseconds sort by their making, and none comes twice", () => {
  const ids = Array.from({ length: 500 }, (_, i) => uuid7(1_630_000_000_000 + i));
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(Array.from({ length: 2_000 }, () => uuid7(1))).size, 2_000);
});
