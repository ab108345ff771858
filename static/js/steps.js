// Where the event can go next and how many seats there are; twin of sessions/steps.py and sessions/desk.py.
// tests/vectors/steps.json holds both to the same answers.

import { phaseAt } from "./phase.js";

/** What the primary button does at `now` (ms): `{phase, session}`, null when the event is closed. */
export function nextStep(stage, now) {
  const number = stage.session ?? 0;
  switch (phaseAt(stage, now)) {
    case "draft":
      return { phase: "lobby", session: null };
    case "lobby":
    case "over":
      return number < stage.sessions ? { phase: "seating", session: number + 1 } : { phase: "gallery", session: null };
    case "seating":
      return { phase: "running", session: number };
    case "running":
      return { phase: "over", session: number };
    case "gallery":
      return { phase: "closed", session: null };
    default:
      return null;
  }
}

/** The stage part as of `now` with its next step, as the console shows it. */
export function lead(stage, now) {
  const phase = phaseAt(stage, now);
  const step = nextStep(stage, now);
  const paused = stage.paused_left !== null;
  return {
    ...stage,
    phase,
    next: step?.phase ?? "",
    next_no: step?.session ?? null,
    clock: stage.phase === "running" && ["running", "over"].includes(phase),
    paused,
    talk: phase === "running" ? (paused ? "paused" : "running") : "",
    ended: ["closed", "archived"].includes(phase),
  };
}

const total = (list, count) => list.reduce((sum, item) => sum + count(item), 0);

const SITTING_DOWN = ["draft", "lobby", "seating", "running"];

/**
 * Seats and people in all. `lacking` people find no seat at an open table, as long as people sit down; a chair kept for a
 * host is that host's. `numbers` as in a `glance` frame.
 */
export function sums(room, numbers, phase) {
  const standing = Math.max(0, numbers.people - numbers.seated);
  const seated = new Set(room.flatMap((table) => table.seats.map((seat) => seat.p)));
  const kept = room.filter(({ open, host }) => open && host && !seated.has(host)).length;
  const free = total(room, (table) => (table.open ? table.free : 0));
  return {
    tables: room.length,
    taken: total(room, (table) => table.taken),
    seats: total(room, (table) => (table.open ? table.cap : 0)),
    free,
    standing,
    waiting: numbers.lobby,
    more: Math.max(0, standing - numbers.lobby.length),
    lacking: SITTING_DOWN.includes(phase) ? Math.max(0, standing - free - kept) : 0,
    written: total(Object.values(numbers.tables), (table) => table.notes),
  };
}

/** What the walls of the gallery hold, in numbers. */
export function harvest(gallery) {
  const of = (kind) => gallery.filter((part) => part.id.startsWith(`${kind}:`));
  const text = gallery.find((part) => part.id === "closing")?.text ?? "";
  return { notes: total(of("exhibit"), (part) => part.count), takeaways: of("takeaway").length, text };
}

/** How the map is drawn: every table as a picture, small with its number, or the sums alone. */
export function mapSize(tables) {
  if (tables < 10) return "few";
  return tables < 24 ? "some" : "many";
}
