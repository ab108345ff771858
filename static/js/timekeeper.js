// What the time alone changes on a page: clock, phase, warnings, gong.

import { crossed, draw } from "./clock.js";
import { strike } from "./gong.js";
import { notice } from "./notices.js";
import { nextTurn, stageAt } from "./phase.js";

const PULSE_MS = 1_000;
const WARNING_MS = 20_000;

/** `page` has part() → the stage part, now(), turned(stage, before), ticked(stage). */
export class Timekeeper {
  constructor(page) {
    Object.assign(this, { page, phase: null, session: null, left: null, timer: 0 });
  }

  start() {
    const stage = this.stage();
    this.remember(stage);
    setInterval(() => this.pulse(), PULSE_MS);
    this.pulse();
  }

  stage() {
    const part = this.page.part();
    return part ? stageAt(part, this.page.now()) : null;
  }

  remember(stage) {
    this.phase = stage?.phase ?? null;
    this.session = stage?.session ?? null;
  }

  pulse() {
    const stage = this.stage();
    if (!stage) return;
    draw(stage);
    this.warn(stage);
    if (stage.phase !== this.phase || stage.session !== this.session) this.turn(stage);
    this.page.ticked(stage);
    this.wait(stage);
  }

  turn(stage) {
    const before = this.phase;
    this.remember(stage);
    if (before === "running" && stage.phase !== "lobby") this.ring();
    else notice("gong", false);
    this.page.turned(stage, before);
  }

  ring() {
    for (const seconds of [300, 60, 30]) notice(`left-${seconds}`, false);
    notice("gong", {}, { ms: WARNING_MS });
    strike();
  }

  warn(stage) {
    const seconds = stage.phase === "running" && stage.paused_left === null ? crossed(this.left, stage.left) : null;
    this.left = stage.phase === "running" ? stage.left : null;
    if (!seconds) return;
    for (const other of [300, 60, 30]) notice(`left-${other}`, other === seconds && {}, { ms: WARNING_MS });
  }

  /** Phases turn to the millisecond, not with the next pulse. */
  wait(stage) {
    clearTimeout(this.timer);
    const at = nextTurn(this.page.part(), this.page.now());
    const ms = at === null ? null : at - this.page.now();
    if (ms !== null && ms < PULSE_MS && stage) this.timer = setTimeout(() => this.pulse(), Math.max(ms, 10));
  }
}
