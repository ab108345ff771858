import assert from "node:assert/strict";
import test from "node:test";

import { forOperators, forVisitors, marked, report } from "../../static/js/advice.js";
import { tryAll } from "../../static/js/trials.js";

const LONGEST = 16_384;

/** A server's end of one socket; `answers` says what it does with a frame: gives a text to send, or null. */
class Socket {
  static open = true;
  static answers = (frame) => JSON.stringify({ t: "pong", c: frame.c, now: 0 });

  constructor(address) {
    this.address = address;
    Socket.last = this;
    Socket.longest = 0;
    if (Socket.open) queueMicrotask(() => this.onopen());
    else if (Socket.open === false) queueMicrotask(() => this.onclose({ code: 1006 }));
  }

  send(text) {
    Socket.longest = Math.max(Socket.longest, text.length);
    const answer = Socket.answers(JSON.parse(text), this);
    if (answer) queueMicrotask(() => this.onmessage({ data: answer }));
  }

  close() {}
}

/** A browser in which all is well, but for what a test changes. Waiting takes no time: `patience` tells what was waited for. */
function browser(change = {}) {
  const kept = new Map();
  let time = 1_000_000;
  const openOutbox = async () => ({
    safe: true,
    put: async (op) => kept.set(op.id, op),
    close: () => {},
    claim: async () => [...kept.values()],
    settle: async (id) => kept.delete(id),
  });
  Object.assign(Socket, { open: true, answers: (frame) => JSON.stringify({ t: "pong", c: frame.c, now: 0 }) });
  const jar = { text: "" };
  return {
    address: new URL("https://cafe.example/live/check/"),
    document: {
      get cookie() {
        return jar.text;
      },
      set cookie(line) {
        jar.text = line.includes("max-age=0") ? "" : line.split(";")[0];
      },
    },
    longest: LONGEST,
    openOutbox,
    kept,
    WebSocket: Socket,
    now: () => time,
    fetch: async () => answer({ t: "pong", now: time, known: true }),
    isStyled: () => true,
    within: async (promise, ms, otherwise) => {
      const came = await Promise.race([promise, turns(5).then(() => "late")]);
      if (came === "late") time += ms;
      return came === "late" ? otherwise : came;
    },
    ...change,
  };
}

/** Turns of the event loop: what happens in the next one happens before, however slow the machine is. */
async function turns(count) {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function answer(json, { kind = "application/json" } = {}) {
  return { headers: { get: () => kind }, json: async () => json };
}

async function tried(at) {
  const told = [];
  const found = await tryAll({ at, told: (name, { state }) => told.push(`${name} ${state}`) });
  const states = Object.fromEntries(Object.entries(found).map(([name, { state }]) => [name, state]));
  return { found, told, states };
}

const ALL = ["page", "cookies", "store", "secure", "poll", "clock", "socket", "there", "long", "hold"];
const states = (change) => ({ ...Object.fromEntries(ALL.map((name) => [name, "ok"])), ...change });

test("where all is well every trial says so, one after the other, and leaves nothing behind", async () => {
  const at = browser();
  const { found, told, states: got } = await tried(at);
  assert.deepEqual(got, states());
  assert.deepEqual(told, ALL.flatMap((name) => [`${name} runs`, `${name} ok`]));
  assert.deepEqual([at.kept.size, at.document.cookie], [0, ""]);
  assert.equal(Socket.last.address, "wss://cafe.example/live/check/");
  assert.equal(Socket.longest, LONGEST);
  assert.deepEqual([found.secure.note, found.clock.note], ["https", "close"]);
  assert.deepEqual([forVisitors(found), forOperators(found)], [["fine"], ["fine"]]);
});

test("a refused socket is told from one that gets no answer, and the rest is not tried", async () => {
  const rest = { there: "none", long: "none", hold: "none" };
  const at = browser();
  Socket.open = false;
  const refused = await tried(at);
  assert.deepEqual(refused.states, states({ socket: "bad", ...rest }));
  assert.deepEqual([forVisitors(refused.found), forOperators(refused.found)], [["blocked"], ["upgrade"]]);
  const other = browser();
  Socket.open = null;
  const silent = await tried(other);
  assert.deepEqual(silent.states, states({ socket: "bad", ...rest }));
  assert.deepEqual([forVisitors(silent.found), forOperators(silent.found)], [["blocked"], ["buffer"]]);
});

test("an address the server does not know is the reason for a refusal", async () => {
  const at = browser({ fetch: async () => answer({ t: "pong", now: 1_000_000, known: false }) });
  Socket.open = false;
  const { found } = await tried(at);
  assert.deepEqual(forOperators(found), ["origin"]);
});

test("a socket on which nothing comes back is buffered", async () => {
  const at = browser();
  Socket.answers = () => null;
  const { found, states: got } = await tried(at);
  assert.deepEqual(got, states({ there: "bad", long: "none", hold: "none" }));
  assert.deepEqual([forVisitors(found), forOperators(found)], [["shaky"], ["buffer"]]);
});

test("a socket that our server ends because it hears nothing is buffered too", async () => {
  const at = browser();
  Socket.answers = (_frame, socket) => (setImmediate(() => socket.onclose({ code: 1000 })), null);
  const { found } = await tried(at);
  assert.deepEqual([found.there.note, forOperators(found)], ["silent", ["buffer"]]);
});

test("a long message that does not come back whole is seen", async () => {
  const at = browser();
  Socket.answers = ({ c }) => (String(c).length > 1_000 ? null : JSON.stringify({ t: "pong", c, now: 0 }));
  const { found, states: got } = await tried(at);
  assert.deepEqual(got, states({ long: "bad" }));
  assert.deepEqual([forVisitors(found), forOperators(found)], [["shaky"], ["size"]]);
});

test("a socket that is cut while it is quiet is seen, and how soon", async () => {
  const at = browser();
  Socket.answers = ({ c }, socket) => {
    if (c === "once") setImmediate(() => socket.onclose({ code: 1006 }));
    return JSON.stringify({ t: "pong", c, now: 0 });
  };
  const { found, states: got } = await tried(at);
  assert.deepEqual(got, states({ hold: "bad" }));
  assert.deepEqual([found.hold.note, found.hold.seconds], ["cut", 5]);
  assert.deepEqual(forOperators(found), ["idle"]);
});

test("a server that is full says so, and it is nobody's fault", async () => {
  const at = browser();
  Socket.answers = (_frame, socket) => (setImmediate(() => socket.onclose({ code: 1006 })), JSON.stringify({ t: "bye", retry_ms: 1, why: "full" }));
  const { found } = await tried(at);
  assert.deepEqual([found.there.note, forVisitors(found), forOperators(found)], ["busy", ["busy"], ["full"]]);
});

test("a hotel's page is told from a server that is away", async () => {
  const hotel = await tried(browser({ fetch: async () => answer(null, { kind: "text/html" }) }));
  assert.deepEqual([hotel.found.poll.note, hotel.states.clock], ["portal", "none"]);
  assert.deepEqual([forVisitors(hotel.found), forOperators(hotel.found)], [["portal"], ["intercepted"]]);
  for (const fetch of [async () => Promise.reject(new TypeError("offline")), async () => answer({ t: "err", code: "busy" })]) {
    const { found } = await tried(browser({ fetch }));
    assert.deepEqual([forVisitors(found), forOperators(found)], [["away"], ["unreached"]]);
  }
});

test("a wrong clock and plain http are said and work", async () => {
  const fetch = async () => answer({ t: "pong", now: 1_000_000 - 7_200_000, known: true });
  const { found, states: got } = await tried(browser({ fetch, address: new URL("http://192.168.1.20:8000/live/check/") }));
  assert.deepEqual(got, states());
  assert.deepEqual([found.clock.note, found.clock.minutes, found.secure.note], ["off", 120, "plain"]);
  assert.deepEqual([forVisitors(found), forOperators(found)], [["fine"], ["plain", "clock"]]);
});

test("a browser that keeps neither cookies nor words says both", async () => {
  const document = { cookie: "" };
  Object.defineProperty(document, "cookie", { get: () => "", set: () => {} });
  const openOutbox = async () => Promise.reject(new Error("blocked"));
  const { found, states: got } = await tried(browser({ document, openOutbox, isStyled: () => false }));
  assert.deepEqual(got, states({ page: "bad", cookies: "bad", store: "bad" }));
  assert.deepEqual(forVisitors(found), ["bare", "cookies", "store"]);
});

test("the text to send holds every line, and what was made of it", () => {
  const lines = [
    { state: "ok", label: "Cookies", words: "" },
    { state: "bad", label: "Opening", words: "It was refused." },
    { state: "none", label: "Holding", words: "" },
  ];
  const text = report({ origin: "https://cafe.example", at: 0, agent: "Browser/1", lines, operators: ["origin", "plain"] });
  assert.equal(
    text,
    "ZoomCafé · https://cafe.example · 1970-01-01T00:00Z\n✓ Cookies\n✗ Opening: It was refused.\n– Holding\n(origin, plain)\nBrowser/1",
  );
  assert.deepEqual(marked(["a", "b"]), { a: true, b: true });
});
