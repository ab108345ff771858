// One socket at a time, and when it was last heard.

const PING_MS = 15_000;

/** `on` has opened(), heard(frame) and closed(code); what an earlier socket still says is not passed on. */
export class Line {
  constructor({ address, platform, on }) {
    Object.assign(this, { address, platform, on, socket: null, heardAt: 0, sentAt: 0 });
  }

  open() {
    this.openedAt = this.heardAt = this.sentAt = this.platform.now();
    const socket = new this.platform.WebSocket(this.address.href.replace(/^http/, "ws"));
    const only = (act) => (event) => socket === this.socket && act(event);
    socket.onopen = only(() => this.on.opened());
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
