// The way to the server: a socket, or polling where sockets are blocked. What frames mean is core.js's business.

import { comeback } from "./core.js";
import { Line, Polling } from "./line.js";

const TICK_MS = 1_000;
const TRY_MS = 5_000;
const SILENCE_MS = 15_000;
const PROBE_MS = 1_500;
const BEAT_MS = 7_000;
const SLEPT_MS = 30_000;
const GIVE_UP_MS = 10_000;
const SOCKET_AGAIN_MS = 60_000;

/**
 * `client` has opened(), hello(), receive(frame), bye() → the server's wish in ms or null, status(state, why), turn(), reload().
 * `platform` has WebSocket, fetch, now(), random(), hidden(), offline(), setTimeout, setInterval, token().
 */
export class Connection {
  constructor({ address, client, platform }) {
    const now = platform.now();
    Object.assign(this, { client, platform, state: "connecting", why: "", failed: 0, struck: 0, since: now, ticked: now });
    this.line = new Line({ address, platform, on: this });
    this.polling = new Polling({ address, client, platform, told: (answer) => this.polled(answer) });
  }

  start() {
    this.platform.setInterval(() => this.tick(), TICK_MS);
    this.connect();
  }

  connect() {
    if (this.line.socket) return;
    this.retryAt = this.doubtedAt = 0;
    this.line.open();
  }

  heard(frame) {
    this.doubtedAt = 0;
    this.client.receive(frame);
    if (frame.t !== "welcome") return;
    this.failed = this.struck = 0;
    this.become("live");
  }

  send(frame) {
    if (this.line.send(frame) || this.state !== "polling" || frame.t !== "sub") return;
    this.platform.setTimeout(() => this.polling.ask(), 0);
  }

  /** Whether an operation can go out now; by HTTP one after the other. */
  get ready() {
    return this.state === "live" || (this.state === "polling" && !this.polling.posting);
  }

  post(op) {
    return this.state === "live" ? this.line.send(op) : this.polling.post(op);
  }

  /** The socket is gone, or never came about. */
  closed(code) {
    if (this.state !== "live") this.failed += 1;
    const { stop, reload, in: wait } = this.comeback(code, this.client.bye());
    this.struck = code;
    if (stop) return this.become("stopped", stop);
    if (reload) return this.client.reload();
    this.retryAt = this.platform.now() + (this.state === "polling" ? SOCKET_AGAIN_MS : wait);
    this.platform.setTimeout(() => this.tick(), wait);
    const silent = this.platform.offline() || this.line.silence >= SILENCE_MS;
    if (this.state === "live") return this.become(silent ? "offline" : "connecting");
    if (this.failed >= 2 && this.state !== "polling") this.polling.ask();
  }

  comeback(code, bye = null) {
    return comeback(code, { random: this.platform.random(), again: this.struck === code, bye, failed: this.failed });
  }

  polled({ frames, code }) {
    const now = this.platform.now();
    if (this.state === "live" || this.state === "stopped") return this.answered(frames);
    if (!frames && !code) return this.unreached(now);
    const { stop, in: wait } = code ? this.comeback(code) : {};
    if (stop) return this.become("stopped", stop);
    if (code) this.polling.dueAt = this.retryAt = now + wait;
    else if (this.state !== "polling") this.retryAt = now + SOCKET_AGAIN_MS;
    for (const frame of frames ?? []) this.client.receive(frame);
    this.become("polling");
  }

  /** The socket is back meanwhile and brings the parts itself; the answer to an operation comes here only. */
  answered(frames = []) {
    for (const frame of frames) if (frame.id) this.client.receive(frame);
  }

  unreached(now) {
    if (this.state === "polling") this.retryAt = now + this.comeback(1006).in;
    this.become("offline");
  }

  tick() {
    const now = this.platform.now();
    const slept = now - this.ticked > SLEPT_MS && this.line.silence > SILENCE_MS;
    this.ticked = now;
    if (slept) this.wake();
    else if (this.state === "live") this.listen(now);
    else if (this.state !== "stopped") this.tryAgain(now);
    this.client.turn();
  }

  listen(now) {
    const unsure = this.doubtedAt && now - this.doubtedAt >= PROBE_MS;
    if (unsure || this.line.silence >= SILENCE_MS) this.line.drop();
    else this.line.keepUp();
  }

  tryAgain(now) {
    if (this.line.socket && now - this.line.openedAt >= TRY_MS) this.line.drop();
    else if (!this.line.socket && now >= this.retryAt) this.connect();
    const impatient = this.state === "connecting" && now - this.since >= GIVE_UP_MS;
    if (impatient || (this.state === "polling" && now >= this.polling.dueAt)) this.polling.ask();
  }

  /** The device woke up, came back online or is looked at again: back within a second. */
  wake() {
    if (["removed", "gone", "reload", this.platform.hidden() && "tabs"].includes(this.why)) return;
    if (this.state === "live" && this.line.silence < BEAT_MS) return this.doubt();
    if (this.state === "polling") this.polling.ask();
    if (this.line.socket && this.state !== "live" && this.line.silence < TICK_MS) return;
    this.line.hangUp();
    if (this.state === "live" || this.state === "stopped") this.become("connecting");
    this.platform.setTimeout(() => this.connect(), this.platform.random() * TICK_MS);
  }

  /** The device says it is offline, or was for a while. It may be wrong (a server on this machine), so the line is asked. */
  doubt() {
    if (this.state === "connecting" && this.platform.offline()) this.become("offline");
    if (this.state !== "live") return;
    this.line.ping();
    this.doubtedAt = this.platform.now();
    this.platform.setTimeout(() => this.state === "live" && this.listen(this.platform.now()), PROBE_MS);
  }

  become(state, why = "") {
    const changed = state !== this.state || why !== this.why;
    if (this.state === "live" && changed) this.since = this.platform.now();
    Object.assign(this, { state, why });
    if (changed) this.client.status(state, why);
    if (this.ready) this.client.turn();
  }
}
