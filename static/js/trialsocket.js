// The trials of one socket at /live/check/, which answers pings and asks for no event: does it open, carry, hold?

const OPEN_MS = 8_000;
const ANSWER_MS = 5_000;
const QUIET_MS = 5_000; // as long as the server is quiet at most, with a live page
const PINGS = 5;
const SLOW_MS = 800;
const AROUND = JSON.stringify({ t: "ping", c: "" }).length;
const NONE = { state: "none" };

/** Leaves the line that the other trials use in `at.line`. */
export async function openSocket(at) {
  const started = at.now();
  at.line = new TrialLine(at, new at.WebSocket(at.address.href.replace(/^http/, "ws")));
  const came = await at.within(at.line.opened, OPEN_MS, "silent");
  if (came === "open") return { state: "ok", ms: at.now() - started };
  at.line.leave();
  return { state: "bad", note: came };
}

/** Five pings; the middle one of their times. */
export async function there(at, { socket }) {
  if (socket.state !== "ok") return NONE;
  const times = [];
  for (let n = 0; n < PINGS; n += 1) {
    const ms = await at.line.ping(n);
    if (ms === null) return { state: "bad", note: at.line.why ?? "silent" };
    times.push(ms);
  }
  const ms = times.sort((one, other) => one - other)[PINGS >> 1];
  return { state: "ok", ms, note: ms > SLOW_MS ? "slow" : "" };
}

/** The longest message a page may send, and as long a one back. */
export async function long(at, { there: before }) {
  if (before.state !== "ok") return NONE;
  const ms = await at.line.ping("x".repeat(at.longest - AROUND));
  return ms === null ? { state: "bad", note: at.line.why ?? "silent" } : { state: "ok" };
}

/** Twice as quiet as live pages are, with a ping after each: whoever cuts or buffers shows it now. */
export async function hold(at, { there: before, long: last }) {
  if (before.state !== "ok" || (last.state !== "ok" && at.line.why)) return NONE;
  const started = at.now();
  for (const word of ["once", "twice"]) {
    const ended = await at.within(at.line.ended, QUIET_MS, null);
    const ms = ended ? null : await at.line.ping(word);
    const seconds = Math.round((at.now() - started) / 1_000);
    if (ms === null) return { state: "bad", note: at.line.why === "closed" ? "cut" : "silent", seconds };
  }
  at.line.leave();
  return { state: "ok" };
}

/** `opened` becomes "open", or why it did not; `ended` and `why` say that and how it was closed. */
class TrialLine {
  constructor(at, socket) {
    Object.assign(this, { at, socket, why: null, waiting: new Map(), full: false });
    this.ended = new Promise((resolve) => (socket.onclose = ({ code }) => resolve(this.close(code))));
    this.opened = new Promise((resolve) => {
      socket.onopen = () => resolve("open");
      this.ended.then(() => resolve("refused"));
    });
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
  }

  /** 1000 is how our server ends a trial from which it hears nothing. */
  close(code) {
    this.why = this.full ? "busy" : code === 1000 ? "silent" : "closed";
    for (const answer of this.waiting.values()) answer(null);
    return this.why;
  }

  hear({ t, c }) {
    if (t === "bye") this.full = true;
    if (t !== "pong" || !this.waiting.has(c)) return;
    this.waiting.get(c)(this.at.now());
    this.waiting.delete(c);
  }

  /** How long `c` took there and back; null when nothing came, or something else. */
  async ping(c) {
    if (this.why) return null;
    const sent = this.at.now();
    const answer = new Promise((resolve) => this.waiting.set(c, resolve));
    this.socket.send(JSON.stringify({ t: "ping", c }));
    const came = await this.at.within(answer, ANSWER_MS, null);
    return came === null ? null : came - sent;
  }

  leave() {
    this.socket.onclose = null;
    this.socket.close();
  }
}
