// Which operations go out next, without a browser. An operation waits here until its ack or final refusal.

export const IN_FLIGHT = 8;
const UNANSWERED_MS = 15_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
const UNREAD = new Set(["too_large", "bad_json"]);

/** An empty queue; `rate` operations a second at most. */
export function newQueue(rate = 10) {
  return { rate, items: new Map(), sentAt: [] };
}

/** What is `again` in here, because it was accepted once, lets everything else go first that is about other notes. */
export function add(queue, op, again = false) {
  if (!queue.items.has(op.id)) queue.items.set(op.id, { op, again, sent: null, due: 0, tries: 0 });
}

/** At most `most` operations to send at `now`; they count as sent. One at a time for each note, so that they arrive in order. */
export function take(queue, now, most = IN_FLIGHT) {
  queue.sentAt = queue.sentAt.filter((at) => now - at < 1_000 && at <= now);
  const ready = [];
  const items = [...queue.items.values()];
  const first = new Map(items.map((item) => [aboutWhat(item.op), item]).reverse());
  let room = most - items.filter((item) => inFlight(item, now)).length;
  for (const item of items.sort((one, other) => one.again - other.again)) {
    const free = first.get(aboutWhat(item.op)) === item && !inFlight(item, now) && item.due <= now;
    if (!free || room <= 0 || queue.sentAt.length >= queue.rate) continue;
    item.sent = now;
    queue.sentAt.push(now);
    ready.push(item.op);
    room -= 1;
  }
  return ready;
}

function inFlight(item, now) {
  return item.sent !== null && now - item.sent < UNANSWERED_MS;
}

function aboutWhat(op) {
  return op.d?.note ?? (op.k === "note.add" ? op.id : `${op.s} ${op.k.split(".")[0]}`);
}

/** The socket is gone: nothing is on its way any more. */
export function lose(queue) {
  for (const item of queue.items.values()) item.sent = null;
}

/** Takes an answer: the operation if that was the last word about it, else null (it goes out again later). */
export function settle(queue, answer, now, random) {
  const item = queue.items.get(answer.id);
  if (!item) return null;
  if (!answer.ok && answer.retry) {
    const wait = RETRY_MS[Math.min(item.tries, RETRY_MS.length - 1)];
    Object.assign(item, { sent: null, tries: item.tries + 1, due: now + Math.max(answer.after_ms ?? 0, wait * (0.5 + random / 2)) });
    return null;
  }
  queue.items.delete(answer.id);
  return item.op;
}

/**
 * The id of the operation a complaint without one is about, or null: a server that could not read a frame could not name
 * it either. Every other such complaint is about the visit ("too many tabs") and no word about what is on its way.
 */
export function blamed(queue, code) {
  const sent = [...queue.items.values()].filter((item) => item.sent !== null);
  return UNREAD.has(code) && sent.length === 1 ? sent[0].op.id : null;
}
