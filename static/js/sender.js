// Operations from the tap to the last word about them: stored, sent, repeated, answered.

import { isLate, keeps } from "./kept.js";
import { openOutbox } from "./outbox.js";
import { add, blamed, lose, newQueue, settle, take } from "./queue.js";
import { tabName, watchTabs } from "./tabs.js";
import { uuid7 } from "./uuid7.js";

const LARGEST = 16_384; // bytes of an operation
const JUST_MS = 4_000;

/** `page` has now(), when(), post(op), ready(), room(), show(s, part), hide(s, id), relay(ids), told(op, answer, {orphan, again}), again(ops), unsafe(). */
export class Sender {
  constructor({ owner, page }) {
    Object.assign(this, { owner, page, queue: newQueue(), ops: new Map(), waiters: new Map(), previews: new Map(), just: new Set(), again: new Set() });
    this.outbox = null;
    this.outboxIsSafe = true;
  }

  async start() {
    const tab = tabName();
    this.outbox = openOutbox({ owner: this.owner, tab, unsafe: () => this.warn() });
    const outbox = await this.outbox;
    const takeOver = async (isGone) => this.takeOver(await outbox.claim(isGone));
    await takeOver(() => false);
    watchTabs({ name: `zc-${this.owner}`, tab, gone: takeOver });
    outbox.tidy();
  }

  warn() {
    this.outboxIsSafe = false;
    this.page.unsafe();
  }

  takeOver(entries) {
    const left = entries.filter((entry) => !this.ops.has(entry.id));
    for (const { op, preview, again } of left) this.hold(op, { preview, again });
    this.page.again(left.filter(({ again }) => !again).map(({ op }) => op));
    for (const { op } of left) this.enqueue(op);
  }

  /** A promise of the last word; it has the operation's `id`. `again` as in the queue. */
  send(s, k, d, { base, preview, again, id = uuid7(this.page.now()) } = {}) {
    const op = { t: "op", id, s, k, d, ...(base !== undefined && { base }) };
    const promise = new Promise((resolve) => this.waiters.set(id, resolve));
    promise.id = id;
    if (new Blob([JSON.stringify(op)]).size > LARGEST) this.conclude(op, { id, ok: false, code: "too_large" });
    else this.store(op, { preview: preview && { ...preview, id: `note:${id}`, note: id }, again });
    return promise;
  }

  async store(op, extra) {
    this.hold(op, extra);
    await (await this.outbox)?.put(op, extra);
    this.enqueue(op);
  }

  hold(op, { preview, again }) {
    this.ops.set(op.id, op);
    if (again) this.again.add(op.id);
    if (preview) {
      this.previews.set(preview.id, op.s);
      this.page.show(op.s, preview);
    }
    this.page.relay([noteOf(op)]);
  }

  enqueue(op) {
    add(this.queue, op, this.again.has(op.id));
    this.turn();
  }

  /** Sends what may go out now. */
  turn() {
    while (this.page.ready()) {
      const ops = take(this.queue, Date.now(), this.page.room());
      if (!ops.length) return;
      for (const op of ops) {
        if (isLate(op, this.page.now()) && !this.again.has(op.id)) this.answer({ id: op.id, ok: false, code: "late" });
        else this.page.post(op);
      }
    }
  }

  /** The line is broken: everything waits again. */
  lose() {
    lose(this.queue);
    this.relay();
  }

  relay() {
    this.page.relay(this.pending().map(noteOf));
  }

  blame(complaint) {
    const id = blamed(this.queue, complaint.code);
    if (id) this.answer({ id, ok: false, ...complaint });
  }

  answer(answer) {
    const op = settle(this.queue, answer, Date.now(), Math.random());
    if (op) this.conclude(op, answer);
    this.turn();
  }

  async conclude(op, { retry: _, ...answer }) {
    this.ops.delete(op.id);
    const shown = `note:${op.id}`;
    if (!answer.ok && this.previews.delete(shown)) this.page.hide(op.s, shown);
    if (answer.ok) this.keepJust(noteOf(op));
    this.page.relay([noteOf(op)]);
    const waiter = this.waiters.get(op.id);
    this.waiters.delete(op.id);
    const final = this.page.told(op, answer, { orphan: !waiter, again: this.again.delete(op.id) });
    waiter?.(final);
    (await this.outbox)?.settle(op.id, answer.ok && keeps(op) ? this.page.when() : null);
  }

  keepJust(id) {
    this.just.add(id);
    setTimeout(() => {
      this.just.delete(id);
      this.page.relay([id]);
    }, JUST_MS);
  }

  /** The real part has come. */
  arrived(id) {
    return this.previews.delete(id);
  }

  pending(s) {
    return [...this.ops.values()].filter((op) => s === undefined || op.s === s);
  }

  /** Whether an operation about this part has no answer yet. */
  isOpen(id) {
    return this.previews.has(id) ? this.ops.has(id.slice("note:".length)) : this.pending().some((op) => noteOf(op) === id);
  }
}

function noteOf(op) {
  return `note:${op.d?.note ?? op.id}`;
}
