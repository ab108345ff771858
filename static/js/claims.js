// What becomes of kept operations, without a browser: whose they are now, and what nobody wants any more.
// tests/vectors/claims.json shows it at work.

export const OLD_MS = 24 * 3_600_000;

/**
 * What this tab has to send from now on, in the order of its making: what lies there of this person, from this tab or
 * from one that `isGone(tab)`, but what it `has(id)` already.
 */
export function claims(entries, { owner, tab, has, isGone }) {
  const free = entries.filter((entry) => entry.owner === owner && !has(entry.id) && (entry.tab === tab || isGone(entry.tab)));
  return free.sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** What others left behind here a day ago: other events, earlier guests. `now` is in ms. */
export function leftovers(entries, { owner, now }) {
  const [event] = owner.split("/");
  const isOthers = (other) => !other.startsWith(`${event}/`) || wasBefore(other, owner);
  return entries.filter((entry) => isOthers(entry.owner) && now - entry.at > OLD_MS);
}

/** Whose words a browser keeps. It may be the event's moderator and one guest at a time. */
export function ownerOf(event, { id, role }) {
  return `${event}/${role === "moderator" ? "m" : ""}${id}`;
}

/** Whether `owner` was a guest of the same event in this browser before `me`: one that the server does not know any more. */
export function wasBefore(owner, me) {
  const [event, id] = owner.split("/");
  const [own, mine] = me.split("/");
  return owner !== me && event === own && !`${id}${mine}`.includes("m");
}
