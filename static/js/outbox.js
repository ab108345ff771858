// Operations that have no answer yet, and a person's own accepted ones in case the server comes back from an older copy.
// Kept in IndexedDB through reloads and crashes; in memory where there is none.

import { claims, leftovers, wasBefore } from "./claims.js";
import { openBase, readAll, write } from "./database.js";
import { excess } from "./kept.js";

const TRIM_EVERY = 16;

/** `owner` is event key and participant. `unsafe()` is called once when things can only be kept in memory. */
export async function openOutbox({ owner, tab, unsafe }) {
  const box = new Outbox({ owner, tab, unsafe });
  await box.open();
  return box;
}

class Outbox {
  constructor({ owner, tab, unsafe }) {
    Object.assign(this, { owner, tab, unsafe, base: null, safe: true, settled: 0, memory: new Map(), kept: new Map() });
  }

  /** Tried again when others' entries are asked for: a browser that is busy may not answer in time. */
  async open() {
    try {
      this.base = await openBase();
      for (const entry of this.memory.values()) this.change(({ ops }) => ops.put(entry));
    } catch {
      this.fail();
    }
  }

  /** Resolves when the entry outlives this tab; a moment later it outlives a power cut too, but nobody waits for that. */
  async put(op, extra = {}) {
    const entry = { id: op.id, owner: this.owner, tab: this.tab, at: Date.now(), op, ...extra };
    this.memory.set(entry.id, entry);
    const stored = this.change(({ ops }) => ops.put(entry));
    this.change(({ ops }) => ops.put(entry), { durability: "strict" });
    await stored;
  }

  /** The last word: out of the outbox. With `more` ({epoch, when}) it is kept. */
  async settle(id, more = null) {
    const held = this.memory.get(id);
    this.memory.delete(id);
    await this.keep(id, held && more && { ...held, ...more, again: false });
    this.settled += 1;
    if (this.settled % TRIM_EVERY === 0) this.tidy();
  }

  /** Leaves the outbox and goes, in the same step, to what is kept if there is an entry for it. */
  async keep(id, entry) {
    const whole = entry && { id, owner: this.owner, at: Date.now(), ...entry };
    if (whole && !this.safe) this.kept.set(id, whole);
    await this.change(({ ops, kept }) => {
      ops.delete(id);
      if (whole) kept.put(whole);
    });
  }

  async erase(ids) {
    for (const id of ids) this.kept.delete(id);
    if (ids.length) await this.change(({ ops, kept }) => ids.forEach((id) => (ops.delete(id), kept.delete(id))));
  }

  /** Everything that was accepted from this person, here or in another tab. */
  async accepted() {
    const all = [...this.kept.values(), ...(await this.stored("kept"))].filter(({ owner }) => owner === this.owner);
    return [...new Map(all.map((entry) => [entry.id, entry])).values()];
  }

  /** Brings accepted operations back into this tab's outbox; gives those that no other tab was faster with. */
  async reopen(entries) {
    const mine = new Set(entries.filter(({ id }) => this.kept.delete(id)).map(({ id }) => id));
    const opened = entries.map((entry) => ({ ...entry, tab: this.tab, again: true }));
    const bring = ({ ops, kept }, entry) => {
      mine.add(entry.id);
      kept.delete(entry.id);
      ops.put(entry);
    };
    const ask = (stores) => {
      for (const entry of opened) stores.kept.get(entry.id).onsuccess = ({ target }) => target.result && bring(stores, entry);
    };
    await this.change(ask, { asks: true });
    const taken = opened.filter(({ id }) => mine.has(id));
    for (const entry of taken) this.memory.set(entry.id, entry);
    return taken;
  }

  /** Everything of this person that belongs to this tab or to one that `isGone(tab)`; it is this tab's from now on. */
  async claim(isGone) {
    if (!this.base) await this.open();
    const { owner, tab, memory } = this;
    const free = claims(await this.stored("ops"), { owner, tab, has: (id) => memory.has(id), isGone });
    for (const entry of free) memory.set(entry.id, entry);
    if (free.length) await this.change(({ ops }) => free.forEach((entry) => ops.put({ ...entry, tab })));
    return free;
  }

  /** What others left behind here a day ago goes, and of this person's the oldest where it grows too much. */
  async tidy() {
    const old = leftovers([...(await this.stored("ops")), ...(await this.stored("kept"))], { owner: this.owner, now: Date.now() });
    await this.erase([...old.map(({ id }) => id), ...excess(await this.accepted())]);
  }

  /** What a guest who was here before this one left behind, a day ago at most. */
  async left(name) {
    await this.tidy();
    return (await this.stored(name)).filter(({ owner }) => wasBefore(owner, this.owner));
  }

  /** Everybody's: one browser may be several people in several events. */
  async stored(name) {
    if (!this.base) return [];
    try {
      return await readAll(this.base, name);
    } catch {
      return [];
    }
  }

  async change(act, how) {
    if (!this.base) return;
    try {
      await write(this.base, act, how);
    } catch {
      this.fail();
    }
  }

  close() {
    this.base = null;
  }

  fail() {
    if (!this.safe) return;
    this.safe = false;
    this.unsafe();
  }
}
