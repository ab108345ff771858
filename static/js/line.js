// The two ways to the server: one socket at a time, and the same frames and operations by plain HTTP.

const PING_MS = 15_000;
const TIMEOUT_MS = 10_000;
const POLL_MS = { visible: 3_000, hidden: 30_000 };
const AS_CLOSED = { 401: 4401, 403: 4403, 404: 4404, 429: 4429 };

/** `on` has client.opened(), heard(frame) and closed(code); what an earlier socket still says is not passed on. */
export class Line {
  constructor({ address, platform, on }) {
    Object.assign(this, { address, platform, on, socket: null, heardAt: 0, sentAt: 0 });
  }

  open() {
    this.openedAt = this.heardAt = this.sentAt = this.platform.now();
    const socket = new this.platform.WebSocket(this.address.href.replace(/^http/, "ws"));
    const only = (act) => (event) => socket === this.socket && act(event);
    socket.onopen = only(() => this.on.client.opened());
    socket.onmessage = only((event) => this.hear(event.data));
    socket.onclose = only((event) => {
      this.socket = null;
      this.on.closed(event.code);
    });
    this.socket = socket;
  }

  hear(data) {
    const frame = parse(data);
    if (!frame) return;
    this.heardAt = this.platform.now();
    this.on.heard(frame);
    this.keepUp();
  }

  /** Asked by every message too, because timers of hidden pages hardly run. */
  keepUp() {
    if (this.platform.now() - this.sentAt >= PING_MS) this.ping();
  }

  ping() {
    this.send({ t: "ping", c: this.platform.now() });
  }

  /** False when there is no open socket. */
  send(frame) {
    if (this.socket?.readyState !== 1) return false;
    this.sentAt = this.platform.now();
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Gives up on a socket that does not answer. */
  drop() {
    this.hangUp();
    this.on.closed(1006);
  }

  hangUp() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Milliseconds since the server last said anything. */
  get silence() {
    return this.platform.now() - this.heardAt;
  }
}

function parse(data) {
  try {
    const frame = JSON.parse(data);
    return frame && typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}

/** `told(answer)` hears of every answer: {frames}, {code} as a socket would close, or {} when nobody sensible spoke. */
export class Polling {
  constructor({ address, client, platform, told }) {
    Object.assign(this, { address, client, platform, told, dueAt: 0, asking: false, posting: false });
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    const { streams, epoch } = this.client.hello();
    const answer = await this.request(this.at("parts", { since: JSON.stringify(streams), ...(epoch && { epoch }) }));
    this.asking = false;
    this.dueAt = this.platform.now() + POLL_MS[this.platform.hidden() ? "hidden" : "visible"];
    this.told(answer);
    if (answer.frames?.at(-1)?.more) this.ask();
  }

  async post(op) {
    this.posting = true;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.platform.token() };
    const answer = await this.request(this.at("ops"), { method: "POST", headers, body: JSON.stringify(op) });
    this.posting = false;
    this.told({ ...answer, frames: answer.frames?.map((frame) => ({ id: op.id, ...frame })) });
    if (answer.frames) this.ask();
  }

  at(name, query = {}) {
    const address = new URL(this.address);
    address.pathname += name;
    for (const [key, value] of Object.entries(query)) address.searchParams.set(key, value);
    return address.href;
  }

  /** A captive portal's page, a redirect, an error page of a proxy: all of them mean that nobody of us was reached. */
  async request(address, options = {}) {
    try {
      const signal = AbortSignal.timeout?.(TIMEOUT_MS);
      const answer = await this.platform.fetch(address, { cache: "no-store", redirect: "error", signal, ...options });
      if (!answer.headers.get("Content-Type")?.includes("json")) return {};
      return sense(await answer.json(), AS_CLOSED[answer.status]);
    } catch {
      return {};
    }
  }
}

/** 401, 403, 404 and 429 are about the person unless they answer one operation. */
function sense(json, code) {
  const frames = [json].flat();
  if (!frames.every((frame) => frame?.t)) return {};
  return code && !frames.some((frame) => frame.id) ? { code } : { frames };
}
