// What the page "Does my connection work?" tries, one after the other. A trial gives {state: "ok" | "bad" | "none", note, …}.
// `at` is what the browser offers, so that tests can offer something else. Times are ms.

import { hold, long, openSocket, there } from "./trialsocket.js";

const ASK_MS = 8_000;
const MINUTE_MS = 60_000;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

const TRIALS = { page, cookies, store, secure, poll, clock, socket: openSocket, there, long, hold };

/** Tells every result as it comes, and all of them at the end: {name: result}. */
export async function tryAll({ at, told }) {
  const found = {};
  for (const [name, trial] of Object.entries(TRIALS)) {
    told(name, { state: "runs" });
    found[name] = await trial(at, found).catch(() => ({ state: "bad" }));
    told(name, found[name]);
  }
  return found;
}

const judged = (good, more = {}) => ({ state: good ? "ok" : "bad", ...more });

/** That we run says that scripts came through; the look says it of the sheet. */
async function page(at) {
  return judged(at.isStyled());
}

async function cookies(at) {
  at.document.cookie = "zc-check=1; path=/check/; SameSite=Lax";
  const kept = at.document.cookie.includes("zc-check=1");
  at.document.cookie = "zc-check=; path=/check/; SameSite=Lax; max-age=0";
  return judged(kept);
}

/** Whether a note that is not sent yet would outlive a reload: kept, let go, opened again, found. */
async function store(at) {
  const owner = "check/1";
  const op = { id: `check-${at.now()}` };
  const before = await at.openOutbox({ owner, tab: "before", unsafe: () => {} });
  await before.put(op);
  before.close();
  const after = await at.openOutbox({ owner, tab: "after", unsafe: () => {} });
  const kept = await after.claim(() => true);
  for (const { id } of kept) await after.settle(id);
  return judged(before.safe && after.safe && kept.some(({ id }) => id === op.id));
}

/** Plain http works; some things are missing then. */
async function secure(at) {
  if (at.address.protocol === "https:") return judged(true, { note: "https" });
  return judged(true, { note: LOOPBACK.includes(at.address.hostname) ? "here" : "plain" });
}

/** The way of pages whose sockets do not get through. A hotel's sign-in page answers too, but not as our server does. */
async function poll(at) {
  const sent = at.now();
  const address = new URL(at.address);
  address.searchParams.set("origin", at.address.origin);
  try {
    const answer = await at.fetch(address.href, { cache: "no-store", signal: AbortSignal.timeout?.(ASK_MS) });
    const frame = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
    if (frame?.t !== "pong") return judged(false, { note: frame ? "away" : "portal" });
    const ms = at.now() - sent;
    return judged(true, { ms, known: frame.known, ahead: sent + ms / 2 - frame.now });
  } catch {
    return judged(false, { note: "away" });
  }
}

/** A clock that is wrong does no harm; it may be the server's. */
async function clock(_at, { poll: asked }) {
  if (asked.state !== "ok") return { state: "none" };
  const minutes = Math.round(Math.abs(asked.ahead) / MINUTE_MS);
  return judged(true, { note: minutes ? "off" : "close", minutes });
}
