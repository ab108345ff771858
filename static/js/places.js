// Where a note goes when it is moved: the id it shall stand after, null for the beginning, undefined when there is no such place.

export function above(ids, id) {
  const at = ids.indexOf(id);
  return at < 1 ? undefined : (ids[at - 2] ?? null);
}

export function below(ids, id) {
  const at = ids.indexOf(id);
  return at < 0 ? undefined : ids[at + 1];
}

/** Dropped `side` ("before" or "after") of `target`; without a target at the end. Undefined when it stands there already. */
export function dropped(ids, id, target, side) {
  const others = ids.filter((other) => other !== id);
  const at = target === null ? others.length : others.indexOf(target) + (side === "after" ? 1 : 0);
  const after = others[at - 1] ?? null;
  return ids.includes(id) && after === (ids[ids.indexOf(id) - 1] ?? null) ? undefined : after;
}

/** The ids of the notes in a list, in their order. */
export function idsIn(list) {
  return [...list.querySelectorAll('[data-part^="note:"]')].map((note) => note.dataset.part.slice("note:".length));
}
