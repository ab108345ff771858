import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { begin, comeback, step } from "../../static/js/core.js";
import { Store } from "../../static/js/store.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/core.json", import.meta.url)));

const STORED = {
  put: (store, { s, parts }) => store.put(s, parts),
  stale: (store, { s }) => store.markStale(s),
  drop: (store, { s }) => store.dropStale(s),
  end: (store, { s }) => store.forget(s),
};
const known = (store) => Object.fromEntries([...store.streams].map(([s, parts]) => [s, [...parts.keys()].sort()]));

for (const { says, start, steps } of vectors.steps) {
  test(`a page ${says}`, () => {
    let state = begin(start);
    const store = new Store(start.parts);
    for (const { input, effects, streams, parts, state: rest = {} } of steps) {
      const before = structuredClone(state);
      const after = step(state, input);
      assert.deepEqual(after.effects, effects);
      if (streams) assert.deepEqual(after.state.streams, streams);
      for (const effect of after.effects) STORED[effect.do]?.(store, effect);
      if (parts) assert.deepEqual(known(store), parts);
      for (const [name, value] of Object.entries(rest)) assert.deepEqual(after.state[name], value);
      assert.deepEqual(state, before, "the state given is left as it was");
      state = after.state;
    }
  });
}

for (const { code, random, expect, ...more } of vectors.comeback) {
  test(`a socket closed with ${code} ${JSON.stringify(more)} at ${random} means ${JSON.stringify(expect)}`, () => {
    assert.deepEqual(comeback(code, { random, ...more }), expect);
  });
}

test("seeded noise: whatever is lost, doubled or cut, asking again brings every page to the server's parts", () => {
  for (let seed = 1; seed <= 200; seed += 1) converge(seed);
});

/** A server of one stream whose frames get lost or come twice; every `sub` is answered, at last all of them. */
function converge(seed) {
  const random = randomFrom(seed);
  const server = new Map();
  let head = 0;
  let state = begin({ epoch: "e", streams: { "board:1": 0 } });
  const page = new Map();
  const since = (after) => [...server.values()].filter((part) => part.seq > after).sort((a, b) => a.seq - b.seq);
  const frame = (from) => ({ t: "parts", s: "board:1", from, to: head, head, parts: since(from) });
  const take = (given) => {
    const after = step(state, { t: "frame", frame: given, now: 0 });
    state = after.state;
    for (const effect of after.effects) {
      if (effect.do === "put") effect.parts.forEach((part) => page.set(part.id, part));
      if (effect.do === "send" && effect.frame.t === "sub" && random() < 0.7) take(frame(effect.frame.after));
    }
  };
  for (let round = 0; round < 60; round += 1) {
    const from = head;
    const id = `note:${Math.floor(random() * 12)}`;
    head += 1;
    server.set(id, random() < 0.2 ? { id, seq: head, gone: true } : { id, seq: head, text: String(round) });
    if (random() < 0.6) take(frame(from));
    if (random() < 0.2) take(frame(Math.max(0, from - 3)));
  }
  const beat = { t: "beat", heads: { "board:1": head }, now: 0 };
  for (let round = 0; round < 20; round += 1) take(beat);
  assert.deepEqual([...page.entries()].sort(), [...server.entries()].sort(), `seed ${seed}`);
}

function randomFrom(seed) {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_507) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
}
