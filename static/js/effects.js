// What the page does about each effect of core.js. `live` is the page of live.js.

import { stageAt } from "./phase.js";
import { remember } from "./platform.js";

export const EFFECTS = { send, put, stale, drop, clock, welcome, answer, complain, end, bye, glance };

function send(live, { frame }) {
  live.connection.send(frame);
}

function put(live, { s, parts }) {
  const known = live.caughtUp.has(s);
  changed(live, live.store.put(s, parts).map((change) => ({ ...change, fresh: known && !change.old && !change.part.gone })));
  if (!live.store.stale.has(s)) live.caughtUp.add(s);
}

function stale(live, { s }) {
  live.caughtUp.delete(s);
  live.store.markStale(s);
}

function drop(live, { s }) {
  changed(live, live.store.dropStale(s));
  live.caughtUp.add(s);
}

function clock(live, { now, sent }) {
  live.clock.hear(now, Date.now(), sent ?? null);
}

function welcome(live, { me, limits }) {
  live.sender.queue.rate = limits.rate ?? live.sender.queue.rate;
  live.byeMs = null;
  remember("zc-reloaded", "");
  if (live.epoch !== live.core.epoch) live.emit("epoch", { epoch: (live.epoch = live.core.epoch) });
  become(live, me);
}

function answer(live, { do: _, ...answered }) {
  live.sender.answer(answered);
}

function complain(live, { code, text }) {
  live.sender.blame({ code, text });
  live.emit("complaint", { code, text });
}

function end(live, { s, code }) {
  changed(live, live.store.all(s).map(({ id, seq }) => ({ s, part: { id, seq, gone: true } })));
  live.store.forget(s);
  live.emit("end", { s, code });
}

function bye(live) {
  live.byeMs = live.core.bye;
}

function glance(live, { frame }) {
  live.emit("glance", frame);
}

/** Parts have changed: what they say about the person and the phase first, then the page, then whoever listens. */
function changed(live, changes) {
  for (const { s, part } of changes) if (s === "me") become(live, news(part));
  const seen = changes.map((change) => ({ ...change, fresh: change.fresh && !live.sender.arrived(change.part.id) }));
  live.view.put(seen.map((change) => asOfNow(live, change)), (drawn) => tellAll(live, drawn));
  if (changes.some(({ s }) => s === "stage" || s === "me")) live.time.pulse();
}

function asOfNow(live, change) {
  const isStage = change.s === "stage" && change.part.id === "now" && !change.part.gone;
  return isStage ? { ...change, part: stageAt(change.part, live.now()) } : change;
}

function tellAll(live, drawn) {
  for (const change of drawn) live.emit("part", change);
  for (const s of new Set(drawn.map((change) => change.s))) live.emit("frame", { s });
  const n = drawn.filter((change) => change.fresh && change.part.by && change.part.by !== live.me.id).length;
  if (n) live.tell("new-notes", { n });
}

/** What a part of the stream `me` says about who looks: seat and person. */
export function news({ id, gone, ...part }) {
  if (id === "seat") return { seat: gone || part.table === null ? null : part };
  return id === "person" && !gone ? { name: part.name, role: part.role } : {};
}

function become(live, changed) {
  const before = live.me;
  live.me = { ...before, ...changed };
  if (JSON.stringify(live.me) === JSON.stringify(before)) return;
  if (outlook(live.me) !== outlook(before)) live.refresh();
  live.emit("me", live.me);
}

/** All that overlay.js asks of a person. */
function outlook({ id, role, seat }) {
  return [id, role, seat?.table].join();
}

/** What the page does when its clock turns to it: phases, going along. */
export class Moments {
  constructor(live) {
    this.live = live;
  }

  now() {
    return this.live.now();
  }

  part() {
    return this.live.get("stage", "now");
  }

  turned(stage, before) {
    const { live } = this;
    live.view.put([{ s: "stage", part: stageAt(this.part(), live.now()) }]);
    live.emit("phase", { phase: stage.phase, session: stage.session, stage, before });
  }

  ticked(stage) {
    this.live.follower.look(stage, this.live.me);
    this.live.emit("tick", { stage, left: stage.left });
  }
}
