// Operations that have no answer yet, kept in IndexedDB through reloads and crashes; in memory where there is none.

import { claims, leftovers } from "./claims.js";

const NAME = "zoomcafe";
const STORE = "ops";
const PATIENCE_MS = 2_000;
const ASK_MS = 10_000;
const FIRST_MS = 600;

/** `owner` is event key and participant. `unsafe()` is called once when things can only be kept in memory. */
export async function openOutbox({ owner, tab, unsafe }) {
  const box = new Outbox({ owner, tab, unsafe });
  try {
    box.base = await inTime(openBase());
  } catch {
    box.fail();
  }
  return box;
}

class Outbox {
  constructor({ owner, tab, unsafe }) {
    Object.assign(this, { owner, tab, unsafe, base: null, safe: true, memory: new Map() });
  }

  /** Resolves when the entry lies as safe as it can. */
  async put(op, extra = {}) {
    const entry = { id: op.id, owner: this.owner, tab: this.tab, at: Date.now(), op, ...extra };
    this.memory.set(entry.id, entry);
    await this.change((store) => store.put(entry));
  }

  async remove(id) {
    this.memory.delete(id);
    await this.change((store) => store.delete(id));
  }

  /** Everything of this person that belongs to this tab or to one that `isGone(tab)`; it is this tab's from now on. */
  async claim(isGone) {
    const { owner, tab, memory } = this;
    const free = claims(await this.stored(), { owner, tab, has: (id) => memory.has(id), isGone });
    for (const entry of free) {
      this.memory.set(entry.id, entry);
      await this.change((store) => store.put({ ...entry, tab }));
    }
    return free;
  }

  async tidy() {
    const left = leftovers(await this.stored(), { owner: this.owner, now: Date.now() });
    for (const { id } of left) await this.change((store) => store.delete(id));
  }

  /** Everybody's: one browser may be several people in several events. */
  async stored() {
    if (!this.base) return [];
    try {
      return await inTime(request(this.base.transaction(STORE).objectStore(STORE).getAll()));
    } catch {
      return [];
    }
  }

  async change(act) {
    if (!this.base) return;
    try {
      const transaction = this.base.transaction(STORE, "readwrite");
      act(transaction.objectStore(STORE));
      transaction.commit?.(); // now, instead of asking back whether there is more to come
      await inTime(finished(transaction));
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

/** Forgets what this browser keeps of an event: on leaving it, and when it is gone. `prefix` is "<event key>/". */
export async function forget(prefix) {
  try {
    const base = await inTime(openBase());
    const store = base.transaction(STORE, "readwrite").objectStore(STORE);
    const ids = await request(store.getAll());
    for (const { id, owner } of ids) if (owner.startsWith(prefix)) store.delete(id);
    await inTime(finished(store.transaction));
    base.close();
  } catch {
    return;
  }
}

function openBase() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
  return request(opening);
}

function request(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** Some browsers leave a request open for ever. */
function inTime(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("IndexedDB does not answer")), PATIENCE_MS));
  return Promise.race([promise, late]);
}

/**
 * Which other tabs of this person are open: they answer a question by message, which hidden tabs do without delay.
 * Calls `gone(isGone)` soon after the start and then every ten seconds, with what is known by then.
 */
export function watchTabs({ name, tab, gone, Channel = globalThis.BroadcastChannel, timers = globalThis }) {
  const heard = new Set();
  const isGone = (other) => other !== tab && !heard.has(other);
  const channel = Channel ? new Channel(name) : null;
  const say = (word) => channel?.postMessage(word);
  if (channel) channel.onmessage = ({ data }) => (data === "?" ? say(tab) : heard.add(data));
  say(tab);
  say("?");
  timers.setTimeout(() => gone(isGone), FIRST_MS);
  timers.setInterval(() => {
    gone(isGone);
    heard.clear();
    say("?");
  }, ASK_MS);
  return channel;
}
