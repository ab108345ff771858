// What the live page does when its line, its sender or its clock turn to it. Page modules do not need this.

import { hello } from "./core.js";
import { forget } from "./database.js";
import { whenOf } from "./kept.js";
import { recall, remember } from "./platform.js";
import { IN_FLIGHT } from "./queue.js";
import { Resent } from "./resent.js";
import { notice, say, showStatus } from "./words.js";

const RELOADED_MS = 60_000;

export class Turns {
  constructor(live) {
    this.live = live;
    this.resent = new Resent({ pending: () => live.pending() });
  }

  // The line

  opened() {
    this.live.take({ t: "open" });
  }

  hello() {
    return hello(this.live.core);
  }

  receive(frame) {
    this.live.take({ t: "frame", frame, now: Date.now() });
  }

  bye() {
    return this.live.byeMs;
  }

  turn() {
    this.live.sender.turn();
  }

  status(state, why) {
    const { live } = this;
    if (state !== "live") live.sender.lose();
    else live.sender.relay();
    if (why === "gone") this.forgetAll();
    showStatus(live.status);
    live.emit("status", live.status);
  }

  /** The page is older than the server: once again, with the outbox kept; not in a circle. */
  reload() {
    const before = Number(recall("zc-reloaded"));
    if (Date.now() - before < RELOADED_MS) return this.live.connection.become("stopped", "reload");
    remember("zc-reloaded", Date.now());
    return location.reload();
  }

  /** The event is gone: nothing of it stays in this browser, and nothing is kept from now on. */
  async forgetAll() {
    forget(`${this.live.event}/`);
    this.live.drafts.close(this.live.event);
    (await this.live.sender.outbox)?.close();
  }

  // The sender

  now() {
    return this.live.now();
  }

  ready() {
    return this.live.connection.ready && this.live.byeMs === null;
  }

  room() {
    return this.live.connection.state === "live" ? IN_FLIGHT : 1;
  }

  post(op) {
    this.live.connection.post(op);
  }

  show(s, part) {
    if (!this.live.get(s, part.id)) this.live.view.put([{ s, part, fresh: true }]);
  }

  hide(s, id) {
    if (!this.live.get(s, id)) this.live.view.put([{ s, part: { id, gone: true } }]);
  }

  /** What the outbox says about these parts has changed. */
  relay(ids) {
    for (const id of ids) {
      for (const element of document.querySelectorAll(`[data-part="${CSS.escape(id)}"]`)) this.live.refresh(element);
    }
    if (this.live.connection.state !== "live") showStatus(this.live.status);
  }

  stateOf(id, mine) {
    if (!this.live.sender.isOpen(id)) return mine ? "saved" : null;
    return ["offline", "stopped"].includes(this.live.connection.state) ? "unsaved" : "sending";
  }

  when() {
    return { epoch: this.live.epoch, when: whenOf(this.live.stage()) };
  }

  told(op, answer, { orphan, again }) {
    const { live } = this;
    const final = { op, ...answer, orphan, text: answer.text ?? say(answer.code) };
    if (answer.ok && op.k.startsWith("seat.")) live.follower.tapped();
    this.resent.look();
    live.emit("answer", final);
    if (again) live.again.answered(op, answer);
    else if (!answer.ok) {
      final.taken = live.emit("refused", final);
      if (orphan && !final.taken) live.again.missed(final);
    }
    return final;
  }

  again(ops) {
    this.resent.tell(ops);
  }

  unsafe() {
    notice("memory");
  }

  // Leaving

  open() {
    const cut = ["connecting", "offline"].includes(this.live.connection.state);
    return { draft: this.live.drafts.open(), unsent: this.live.pending().length, cut };
  }

  /** The browser shows the page again as it was left. */
  returned() {
    this.live.follower.returned();
    this.live.drafts.returned();
    this.live.offer.show();
    this.live.connection.wake();
  }

  holdsBack() {
    const { outboxIsSafe } = this.live.sender;
    return !outboxIsSafe && this.live.pending().length > 0;
  }
}
