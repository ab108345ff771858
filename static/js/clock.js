// The server's clock, the cups and figures that show what is left of it, and what happens when time runs out.

import { strike } from "./gong.js";
import { nextTurn, stageAt } from "./phase.js";
import { notice } from "./words.js";

const PULSE_MS = 1_000;
const BANNER_MS = 20_000;
const MINUTE = 60_000;
const WARNINGS = [30_000, MINUTE, 5 * MINUTE];
const SHOWN_IN = ["lobby", "seating", "running", "over"];
const JUMP_MS = 2_000;

/** How far the server's clock is ahead of this machine's. A beat comes late, never early; a pong says how late. */
export class ServerClock {
  constructor(now, local) {
    this.offset = now - local;
  }

  hear(now, local, sent = null) {
    if (sent !== null && local - sent < JUMP_MS) this.offset = now + (local - sent) / 2 - local;
    else if (now - local > this.offset || this.offset - (now - local) > JUMP_MS) this.offset = now - local;
  }

  now(local) {
    return Math.round(local + this.offset);
  }
}

/** What a clock shows of a stage as of now (`stageAt`): twin of `face` in sessions/templatetags/look.py. */
export function face(stage) {
  const whole = (stage.minutes ?? 0) * MINUTE;
  const { left, word } = remaining(stage, whole);
  return {
    hidden: !SHOWN_IN.includes(stage.phase),
    figures: figures(left),
    share: whole ? Math.min(100, Math.round((100 * left) / whole)) : 0,
    word,
  };
}

function remaining(stage, whole) {
  if (["lobby", "seating"].includes(stage.phase)) return { left: whole, word: "waiting" };
  if (stage.phase !== "running") return { left: 0, word: "over" };
  if (stage.paused_left !== null) return { left: stage.left, word: "paused" };
  return { left: stage.left, word: stage.left <= MINUTE ? "last" : "left" };
}

/** Milliseconds as MM:SS; the second that has begun counts. */
export function figures(ms) {
  const seconds = Math.ceil((ms ?? 0) / 1_000);
  return [Math.floor(seconds / 60), seconds % 60].map((n) => String(n).padStart(2, "0")).join(":");
}

/** The warning that the time between two looks at a running clock crossed: 300, 60 or 30 seconds, or null. */
export function crossed(before, after) {
  if (before === null || after === null || after === 0) return null;
  const hit = WARNINGS.find((warning) => before > warning && after <= warning);
  return hit ? hit / 1_000 : null;
}

/** Draws every clock of the page; touches only what changed. */
export function draw(stage, root = document) {
  const { hidden, figures: text, share, word } = face(stage);
  for (const clock of root.querySelectorAll("[data-clock]")) {
    clock.hidden = hidden;
    for (const state of ["paused", "last"]) clock.classList.toggle(state, word === state);
    setText(clock.querySelector("[data-clock-time]"), text);
    setDash(clock.querySelector("[data-clock-cup]"), `${share} 100`);
    for (const small of clock.querySelectorAll("[data-clock-word]")) small.hidden = small.dataset.clockWord !== word;
  }
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function setDash(cup, dash) {
  if (cup && cup.getAttribute("stroke-dasharray") !== dash) cup.setAttribute("stroke-dasharray", dash);
}

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
    notice("gong", {}, { ms: BANNER_MS });
    strike();
  }

  warn(stage) {
    const seconds = stage.phase === "running" && stage.paused_left === null ? crossed(this.left, stage.left) : null;
    this.left = stage.phase === "running" ? stage.left : null;
    if (!seconds) return;
    for (const other of [300, 60, 30]) notice(`left-${other}`, other === seconds && {}, { ms: BANNER_MS });
  }

  /** Phases turn to the millisecond, not with the next pulse. */
  wait(stage) {
    clearTimeout(this.timer);
    const at = nextTurn(this.page.part(), this.page.now());
    const ms = at === null ? null : at - this.page.now();
    if (ms !== null && ms < PULSE_MS && stage) this.timer = setTimeout(() => this.pulse(), Math.max(ms, 10));
  }
}
