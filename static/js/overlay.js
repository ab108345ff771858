// What concerns the person who looks, laid over the parts: mine, my table, what the outbox says about a note.

import { toggle } from "./fill.js";

const OWNED = "[data-by], [data-p]";
const AT_TABLE = "[data-table]";

/**
 * Lays over `root` and everything in it. `me` is {id, role, seat}; `stateOf(part id, mine)` says sending, saved, unsaved or
 * null; `isJust(part id)` whether it was saved a moment ago.
 */
export function lay(root, { me, stateOf, isJust }) {
  const every = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  for (const element of every(OWNED)) mark(element, "data-mine", isMine(element, me));
  for (const element of every(AT_TABLE)) mark(element, "data-here", isHere(element, me));
  for (const element of every("[data-part][data-by]")) layState(element, { me, stateOf, isJust });
  for (const element of every("[data-for]")) toggle(element, isFor(element, me));
}

function layState(element, { me, stateOf, isJust }) {
  const state = stateOf(element.dataset.part, isMine(element, me));
  if (state) element.dataset.state = state;
  else delete element.dataset.state;
  mark(element, "data-just", isJust(element.dataset.part));
}

function isFor(element, me) {
  return element.dataset.for.split(/\s+/).some((word) => WORDS[word]?.(element, me));
}

const WORDS = {
  mine: (element, me) => isMine(element.closest(OWNED), me),
  others: (element, me) => !isMine(element.closest(OWNED), me),
  here: (element, me) => isHere(element.closest(AT_TABLE), me),
  elsewhere: (element, me) => !isHere(element.closest(AT_TABLE), me),
  seated: (_, me) => Boolean(me.seat),
  seatless: (_, me) => !me.seat,
  moderator: (_, me) => me.role === "moderator",
  guest: (_, me) => me.role !== "moderator",
  sending: (element) => state(element) === "sending",
  saved: (element) => state(element) === "saved",
  unsaved: (element) => state(element) === "unsaved",
};

function state(element) {
  return element.closest("[data-part]")?.dataset.state;
}

function isMine(element, me) {
  return element ? (element.dataset.by ?? element.dataset.p) === String(me.id) : false;
}

function isHere(element, me) {
  return Boolean(element && me.seat) && element.dataset.table === String(me.seat.table);
}

function mark(element, name, on) {
  element.toggleAttribute(name, on);
}
