// The phase of an event as a pure function of the stage part and the time; twin of sessions/phases.py.
// tests/vectors/phase.json holds both to the same rule.

export const GRACE_MS = 3_000;

/** The phase at `now` (ms, server clock). Only a running session moves on by itself: to over, the last one to gallery. */
export function phaseAt(facts, now) {
  if (facts.phase !== "running" || facts.paused_left !== null || facts.ends_at === null) return facts.phase;
  if (now < facts.ends_at) return "running";
  return isLast(facts) && !facts.by_hand && now >= facts.ends_at + GRACE_MS ? "gallery" : "over";
}

export function isLast(facts) {
  return facts.session === facts.sessions;
}

/** Milliseconds left in the running session, never negative; null when none runs. */
export function leftAt(facts, now) {
  if (facts.phase !== "running" || facts.ends_at === null) return null;
  return facts.paused_left ?? Math.max(0, facts.ends_at - now);
}

/** When the phase changes by itself next; null if it does not. */
export function nextTurn(facts, now) {
  const phase = phaseAt(facts, now);
  if (phase === "running" && facts.paused_left === null && facts.ends_at !== null) return facts.ends_at;
  const opensItself = phase === "over" && facts.phase === "running" && isLast(facts) && !facts.by_hand;
  return opensItself ? facts.ends_at + GRACE_MS : null;
}

/** The part as of now: `phase` is the phase at `now`, `left` the milliseconds left. */
export function stageAt(part, now) {
  return { ...part, phase: phaseAt(part, now), left: leftAt(part, now) };
}

/** Where a guest is: the page's name. `sessions`' and `tables`' views answer the same at /e/<code>/. */
export function placeOf(phase, seated) {
  if (["gallery", "closed", "archived"].includes(phase)) return "gallery";
  return ["running", "over"].includes(phase) && seated ? "table" : "lobby";
}
