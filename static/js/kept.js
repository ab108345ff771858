// Which of a person's own accepted operations are kept, and which of them are handed in again when the server comes back
// from an older copy: it may have lost them. Pure.

import { uuid7 } from "./uuid7.js";

const KEPT = /^(note\.|takeaway\.set$|closing\.set$)/;
const LATE_MS = 30_000;
const MOST = 300;
const MOST_BYTES = 512 * 1_024;
const ON_THE_WAY = ["seating", "running", "over"];
const BEFORE = ["draft", "lobby"];
const ENDLESS = 1_000;

/** Phases, clocks and seats of others are not: what a moderator does next is not what was done before. */
export function keeps({ k }) {
  return KEPT.test(k);
}

/** Whether `op` may not go out any more: words may arrive an hour late, but a step or a seat is meant for the moment. */
export function isLate(op, now) {
  return !keeps(op) && op.id < uuid7(now - LATE_MS); // ids sort by their making
}

/** The ids of what no longer fits, oldest first. */
export function excess(entries, { most = MOST, bytes = MOST_BYTES } = {}) {
  const newestFirst = [...entries].sort((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1));
  let [count, size] = [0, 0];
  const over = newestFirst.filter((entry) => (count += 1) > most || (size += JSON.stringify(entry).length) > bytes);
  return over.map(({ id }) => id);
}

/** Where the event stands when an operation is accepted; null where the page does not know. */
export function whenOf(stage) {
  return stage ? { phase: stage.phase, session: stage.session } : null;
}

/** How far an event is, as a number that rises on its way. */
export function progress({ phase, session }) {
  const step = ON_THE_WAY.indexOf(phase);
  return step < 0 ? (BEFORE.includes(phase) ? 0 : ENDLESS) : session * ON_THE_WAY.length + step + 1;
}

/**
 * What is to be done with `entries` ({id, op, epoch, when: {phase, session}}) in `epoch` at `stage`: {now, held, done, words}.
 * `now` is handed in, `held` waits until the event is as far again as it was, `done` are ids that need nothing, `words` are
 * operations whose text must not replace what stands there. `text(k)` is what stands where such an operation writes, null where
 * the page does not know it.
 */
export function offers(entries, { epoch, stage, text }) {
  const found = { now: [], held: [], done: [], words: [] };
  const sorted = [...entries].sort((one, other) => (one.id < other.id ? -1 : 1));
  const gone = deleted(sorted);
  for (const entry of sorted) {
    if (entry.epoch === epoch || !entry.op) continue;
    const to = placeOf(entry, sorted, { epoch, stage, gone, text });
    found[to].push(to === "done" ? entry.id : entry);
  }
  return found;
}

function placeOf({ op, when }, all, { epoch, stage, gone, text }) {
  if (gone.has(op.d.note ?? op.id) && op.k !== "note.gone") return "done";
  if (when && progress(stage) < progress(when)) return "held";
  if (!op.k.endsWith(".set")) return "now";
  const same = all.filter((other) => other.op?.k === op.k);
  const isLast = same.at(-1).op === op && same.every((other) => other.epoch !== epoch);
  if (!isLast) return "done";
  const there = text(op.k);
  if (there === null) return "held";
  if (there === op.d.text) return "done";
  return there === "" || same.some((other) => other.op.d.text === there) ? "now" : "words";
}

/** What to do about the seat a person had ({session, table, epoch}): "keep" the one of now, "sit" there again, "wait", "drop" it. */
export function seatWish(before, { epoch, stage, table }) {
  const same = before?.epoch === epoch && before.session === stage.session && before.table === table;
  if (table !== null) return same ? "" : "keep";
  if (!before || before.epoch === epoch) return before ? "drop" : "";
  const ahead = progress(stage) - progress({ phase: ON_THE_WAY[0], session: before.session });
  return ahead < 0 ? "wait" : ahead > 1 ? "drop" : "sit";
}

/** What the person deleted, and did not bring back, is not handed in again; only that it is deleted. */
function deleted(sorted) {
  const gone = new Set();
  for (const { op } of sorted) {
    if (op?.k === "note.gone") gone.add(op.d.note);
    if (op?.k === "note.back") gone.delete(op.d.note);
  }
  return gone;
}

/** The words that a refusal would lose, or "". `refused` holds the notes that were not taken at all. */
export function lostWords(op, { code, part }, refused) {
  const text = op.d?.text ?? "";
  // It stands there, or its author or a moderator deleted it.
  if (code === "op_id_conflict" || part?.text === text) return "";
  if (op.k === "note.edit" && code === "not_found" && !refused.has(op.d.note)) return "";
  return text;
}
