// What becomes of kept operations, without a browser: whose they are now, and what nobody wants any more.
// tests/vectors/claims.json shows it at work.

const OLD_MS = 24 * 3_600_000;

/**
 * What this tab has to send from now on, in the order of its making: what lies there of this person, from this tab or
 * from one that `isGone(tab)`, but what it `has(id)` already.
 */
export function claims(entries, { owner, tab, has, isGone }) {
  const free = entries.filter((entry) => entry.owner === owner && !has(entry.id) && (entry.tab === tab || isGone(entry.tab)));
  return free.sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** What others left behind here a day ago: other events, other people. `now` is in ms. */
export function leftovers(entries, { owner, now }) {
  return entries.filter((entry) => entry.owner !== owner && now - entry.at > OLD_MS);
}
