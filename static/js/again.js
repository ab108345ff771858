// After the server came back from an older copy (another epoch): hands the person's own accepted operations in again.

import { toast } from "./base.js";
import { lostWords, offers, seatWish } from "./kept.js";
import { notice } from "./words.js";

const READ_MS = 10_000;
const THE_END = { phase: "closed", session: null };

export class Again {
  constructor(live) {
    Object.assign(this, { live, mark: "", busy: false, held: 0, sent: false, told: false, refused: new Set() });
  }

  start() {
    for (const name of ["tick", "frame"]) this.live.on(name, () => this.look());
    this.live.on("epoch", () => {
      Object.assign(this, { sent: false, told: true });
      this.tell();
    });
  }

  /** Looks once at every new epoch, phase and seat, when the page knows how things stand. */
  async look() {
    const { live } = this;
    const stage = live.stage();
    const stale = Object.values(live.core.streams).some((stream) => stream.stale);
    const mark = [live.epoch, stage?.phase, stage?.session, this.table].join();
    if (this.busy || stale || !stage || mark === this.mark) return;
    const first = !this.mark;
    Object.assign(this, { busy: true, mark });
    const outbox = await live.sender.outbox;
    if (first) await this.inherit(outbox);
    await this.handIn(outbox, stage);
    this.busy = false;
  }

  get table() {
    return this.live.me.seat?.table ?? null;
  }

  async handIn(outbox, stage) {
    const { epoch } = this.live;
    const kept = await outbox.accepted();
    await this.sit(outbox, kept, stage);
    const found = offers(kept, { epoch, stage, text: (k) => this.textOf(k) });
    outbox.erase([...found.done, ...found.words.map(({ id }) => id)]);
    for (const { op } of found.words) this.offer(op);
    this.held = found.held.length;
    const entries = await outbox.reopen(found.now);
    this.sent ||= entries.length > 0;
    this.live.sender.takeOver(entries);
    this.tell();
  }

  /** Words of somebody whom the server forgot, and who came in anew, are offered to the one who sits here now. */
  async inherit(outbox) {
    const [ops, kept] = [await outbox.left("ops"), await outbox.left("kept")];
    const lost = offers(kept, { epoch: this.live.epoch, stage: THE_END, text: () => null });
    for (const { op } of [...lost.now, ...lost.held, ...ops]) this.offer(op);
    if (this.live.drafts.store) await outbox.erase([...ops, ...kept].map(({ id }) => id));
  }

  /** The place the person had, first: notes of the table hang on it. It is kept under the person's own name. */
  async sit(outbox, kept, stage) {
    const { live, table } = this;
    const { epoch, owner } = live;
    const before = kept.find(({ id }) => id === owner);
    const wish = seatWish(before, { epoch, stage, table });
    if (wish === "keep") await outbox.keep(owner, { epoch, table, session: stage.session });
    if (wish === "sit" || wish === "drop") await outbox.erase([owner]);
    if (wish === "sit") await live.sender.send("room", "seat.take", { table: before.table }, { again: true });
  }

  /** What stands where an operation writes; null where this page does not follow it. */
  textOf(k) {
    const { live } = this;
    if (!live.core.streams.gallery) return null;
    return live.get("gallery", k === "closing.set" ? "closing" : `takeaway:${live.me.id}`)?.text ?? "";
  }

  /** Nobody just did this: a refusal is no error on the page, but words are not lost by it. */
  answered(op, answer) {
    if (!answer.ok && lostWords(op, answer, this.refused)) this.offer(op);
    if (!answer.ok) this.refused.add(op.d?.note ?? op.id);
    this.tell();
  }

  /** A page before this one did it, and nobody here waits for the answer. */
  missed({ op, text }) {
    if (op.d.text) this.offer(op);
    else toast(text);
  }

  /** Words that nobody waits for any more are offered like half-typed ones. */
  offer({ id, s, d: { note = id, q, text, colour } }) {
    if (text) this.live.drafts.add({ s, q, text, colour, as: note });
    this.live.offer.show();
  }

  /** What the page says about it: while something is sent or waits, and a moment longer. */
  tell() {
    const { held, sent } = this;
    const n = this.live.sender.again.size;
    const open = n > 0 || held > 0;
    if (open || this.told) notice("restored", { n, held, sent: !n && sent, plain: !n && !sent }, { ms: open ? 0 : READ_MS });
    this.told = open;
  }
}
