import assert from "node:assert/strict";
import test from "node:test";

import { Connection } from "../../static/js/connection.js";

const WELCOME = { t: "welcome", v: 1, me: { id: 5 }, now: 0, epoch: "e", limits: {} };
const json = (value, status = 200) => new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });

/** A browser whose time we move, whose sockets we hold in hand and whose requests we answer. */
class Device {
  constructor() {
    Object.assign(this, { time: 1_000_000, sockets: [], requests: [], timers: [], isHidden: false, isOffline: false, answer: () => Promise.reject(new TypeError("no network")) });
    const device = this;
    this.WebSocket = class {
      constructor(address) {
        Object.assign(this, { address, readyState: 0, sent: [], closed: false });
        device.sockets.push(this);
      }
      send(data) {
        this.sent.push(JSON.parse(data));
      }
      close() {
        this.closed = true;
      }
      open() {
        this.readyState = 1;
        this.onopen({});
      }
      says(frame) {
        this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
      }
      ends(code) {
        this.readyState = 3;
        this.onclose({ code });
      }
    };
  }

  now = () => this.time;
  random = () => 0.5;
  hidden = () => this.isHidden;
  offline = () => this.isOffline;
  token = () => "csrf";
  setTimeout = (act, ms) => this.timers.push({ act, at: this.time + ms });
  setInterval = (act, every) => this.timers.push({ act, at: this.time + every, every });
  fetch = (address, options) => {
    this.requests.push({ address, ...options });
    return this.answer(address, options);
  };

  get socket() {
    return this.sockets.at(-1);
  }

  /** Lets `ms` pass; answers to requests arrive in between. */
  async pass(ms) {
    for (const end = this.time + ms; this.time < end; ) {
      this.time += 100;
      for (const timer of this.timers.filter(({ at }) => at <= this.time)) {
        if (timer.every) timer.at += timer.every;
        else this.timers.splice(this.timers.indexOf(timer), 1);
        timer.act();
      }
      for (let i = 0; i < 8; i += 1) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function page() {
  const device = new Device();
  const client = { heard: [], states: [], byeMs: null, reloads: 0 };
  Object.assign(client, {
    opened: () => connection.send({ t: "hello", ...client.hello() }),
    hello: () => ({ v: 1, epoch: "e", streams: { stage: 4 } }),
    receive: (frame) => client.heard.push(frame),
    bye: () => client.byeMs,
    status: (state, why) => client.states.push(why ? `${state}:${why}` : state),
    turn() {},
    reload: () => (client.reloads += 1),
  });
  const connection = new Connection({ address: new URL("http://cafe.test/live/KEY/?as=moderator"), client, platform: device });
  connection.start();
  return { device, client, connection };
}

function livePage() {
  const all = page();
  all.device.socket.open();
  all.device.socket.says(WELCOME);
  return all;
}

test("a page opens one socket, says hello and is live with the welcome", () => {
  const { device, client, connection } = livePage();
  assert.equal(device.socket.address, "ws://cafe.test/live/KEY/?as=moderator");
  assert.deepEqual(device.socket.sent, [{ t: "hello", v: 1, epoch: "e", streams: { stage: 4 } }]);
  assert.deepEqual(client.states, ["live"]);
  assert.ok(connection.ready);
});

test("a page of an encrypted address opens an encrypted socket", () => {
  const device = new Device();
  const client = { status() {}, turn() {} };
  new Connection({ address: new URL("https://cafe.test/live/KEY/"), client, platform: device }).start();
  assert.equal(device.socket.address, "wss://cafe.test/live/KEY/");
});

test("a broken socket comes back with jitter, and what the old one still says is not heard", async () => {
  const { device, client } = livePage();
  const old = device.socket;
  old.ends(1006);
  assert.deepEqual(client.states, ["live", "connecting"]);
  await device.pass(1_000);
  assert.equal(device.sockets.length, 1);
  await device.pass(250);
  assert.equal(device.sockets.length, 2);
  old.says({ t: "beat" });
  assert.equal(client.heard.some(({ t }) => t === "beat"), false);
  device.socket.open();
  device.socket.says(WELCOME);
  assert.deepEqual(client.states, ["live", "connecting", "live"]);
});

test("after a loss three tries are quick", async () => {
  const { device } = livePage();
  const pauses = [];
  for (let lost = 0; lost < 5; lost += 1) {
    const began = device.time;
    const count = device.sockets.length;
    device.socket.ends(1006);
    while (device.sockets.length === count) await device.pass(50);
    pauses.push(device.time - began);
  }
  assert.deepEqual(pauses.map((ms) => ms < 2_000), [true, true, true, false, false]);
});

test("a server that says when to come back is obeyed", async () => {
  const { device, client } = livePage();
  client.byeMs = 2_000;
  device.socket.ends(1012);
  await device.pass(2_000);
  assert.equal(device.sockets.length, 1);
  await device.pass(1_500);
  assert.equal(device.sockets.length, 2);
});

test("fifteen seconds without a word from the server end the socket", async () => {
  const { device } = livePage();
  await device.pass(14_000);
  assert.equal(device.socket.closed, false);
  await device.pass(2_000);
  assert.equal(device.sockets[0].closed, true);
});

test("a server that was silent for so long is no server: the page is offline, not in a moment's trouble", async () => {
  const { device, client } = livePage();
  await device.pass(16_000);
  assert.deepEqual(client.states, ["live", "offline"]);
});

test("a page that has nothing to say pings every fifteen seconds, from messages when timers sleep", async () => {
  const { device } = livePage();
  for (let i = 0; i < 8; i += 1) {
    await device.pass(5_000);
    device.socket.says({ t: "beat", heads: {}, now: 0 });
  }
  assert.equal(device.socket.sent.filter(({ t }) => t === "ping").length, 2);
  device.timers = [];
  device.time += 20_000;
  device.socket.says({ t: "beat", heads: {}, now: 0 });
  assert.equal(device.socket.sent.filter(({ t }) => t === "ping").length, 3);
});

test("after two failed tries the page polls, and a socket is tried again each minute", async () => {
  const { device, client } = page();
  device.answer = () => Promise.resolve(json([{ t: "parts", s: "stage", from: 4, to: 5, head: 5, parts: [] }]));
  device.socket.ends(1006);
  await device.pass(5_000);
  device.socket.ends(1006);
  await device.pass(200);
  assert.deepEqual(client.states, ["polling"]);
  assert.deepEqual(client.heard.map(({ t }) => t), ["parts"]);
  const asked = new URL(device.requests[0].address);
  assert.equal(asked.pathname, "/live/KEY/parts");
  assert.equal(asked.searchParams.get("as"), "moderator");
  assert.deepEqual(JSON.parse(asked.searchParams.get("since")), { stage: 4 });
  await device.pass(10_000);
  assert.equal(device.requests.length, 4);
  const before = device.sockets.length;
  await device.pass(60_000);
  assert.equal(device.sockets.length, before + 1);
});

test("a socket that opens but never welcomes counts as failed: ten seconds later the page polls", async () => {
  const { device, client } = page();
  device.answer = () => Promise.resolve(json([]));
  device.socket.open();
  await device.pass(11_000);
  assert.deepEqual(client.states, ["polling"]);
});

test("a hidden page polls every thirty seconds", async () => {
  const { device } = page();
  device.isHidden = true;
  device.answer = () => Promise.resolve(json([]));
  await device.pass(12_000);
  const before = device.requests.length;
  await device.pass(60_000);
  assert.ok(device.requests.length - before <= 3);
});

test("while polling an operation goes by POST, one at a time, with the token, and a poll follows at once", async () => {
  const { device, client, connection } = page();
  device.answer = () => Promise.resolve(json([]));
  await device.pass(11_000);
  device.requests = [];
  device.answer = (_, { method }) => Promise.resolve(json(method ? { t: "ack", id: "x", s: "stage", seq: 6 } : []));
  connection.post({ t: "op", id: "x" });
  assert.equal(connection.ready, false);
  await device.pass(200);
  assert.equal(connection.ready, true);
  assert.deepEqual([device.requests[0].method, device.requests[0].headers["X-CSRFToken"]], ["POST", "csrf"]);
  assert.equal(new URL(device.requests[1].address).pathname, "/live/KEY/parts");
  assert.equal(client.heard.at(-1).t, "ack");
});

test("a server that is busy has been reached: the page polls on", async () => {
  const { device, client } = page();
  device.answer = () => Promise.resolve(json({ t: "err", code: "busy", text: "T", retry: true }, 503));
  await device.pass(15_000);
  assert.deepEqual(client.states, ["polling"]);
  assert.ok(device.requests.length > 1);
});

test("a refusal by POST is about its operation even when it does not name it", async () => {
  const { device, client, connection } = page();
  device.answer = () => Promise.resolve(json([]));
  await device.pass(11_000);
  device.answer = (_, { method }) => Promise.resolve(method ? json({ t: "err", code: "bad_field", text: "T", retry: false }, 422) : json([]));
  connection.post({ t: "op", id: "x" });
  await device.pass(200);
  assert.deepEqual(client.heard.at(-1), { t: "err", id: "x", code: "bad_field", text: "T", retry: false });
});

for (const [what, answer] of [
  ["a captive portal's page", () => new Response("<p>Accept the terms</p>", { headers: { "Content-Type": "text/html" } })],
  ["a captive portal's JSON", () => json({ login: "here" })],
  ["a proxy's error page", () => new Response("Bad gateway", { status: 502, headers: { "Content-Type": "text/html" } })],
]) {
  test(`${what} means offline, and sockets are tried on`, async () => {
    const { device, client } = page();
    device.answer = () => Promise.resolve(answer());
    await device.pass(12_000);
    assert.deepEqual(client.states, ["offline"]);
    const before = device.sockets.length;
    await device.pass(15_000);
    assert.ok(device.sockets.length > before);
  });
}

for (const [status, why] of [[401, "join"], [403, "removed"], [404, "gone"]]) {
  test(`${status} while polling means ${why}, and nothing is asked again`, async () => {
    const { device, client } = page();
    device.answer = () => Promise.resolve(json({ t: "err", code: "x", text: "", retry: false }, status));
    await device.pass(12_000);
    assert.equal(client.states.at(-1), `stopped:${why}`);
    const [requests, sockets] = [device.requests.length, device.sockets.length];
    await device.pass(70_000);
    assert.deepEqual([device.requests.length, device.sockets.length], [requests, sockets]);
  });
}

for (const [code, why] of [[4401, "join"], [4403, "removed"], [4404, "gone"], [4409, "tabs"]]) {
  test(`${code} ends the page's line: ${why}`, async () => {
    const { device, client } = livePage();
    device.socket.ends(code);
    await device.pass(70_000);
    assert.equal(client.states.at(-1), `stopped:${why}`);
    assert.equal(device.sockets.length, 1);
  });
}

test("a page that rests because of too many tabs comes back when it is looked at again", async () => {
  const { device, connection, client } = livePage();
  device.socket.ends(4409);
  await device.pass(70_000);
  connection.wake();
  await device.pass(1_000);
  assert.equal(device.sockets.length, 2);
  device.socket.open();
  device.socket.says(WELCOME);
  assert.equal(client.states.at(-1), "live");
});

test("behind others it rests on, however often its timers sleep and the net comes and goes", async () => {
  const { device, connection } = livePage();
  device.isHidden = true;
  device.socket.ends(4409);
  for (let minute = 0; minute < 3; minute += 1) {
    device.time += 59_000;
    await device.pass(1_000);
    connection.wake();
    await device.pass(1_000);
  }
  assert.equal(device.sockets.length, 1);
});

test("4400 is tried once more after five seconds, then the page asks to be reloaded", async () => {
  const { device, client } = livePage();
  device.socket.ends(4400);
  await device.pass(4_500);
  assert.equal(device.sockets.length, 1);
  await device.pass(1_500);
  assert.equal(device.sockets.length, 2);
  device.socket.open();
  device.socket.ends(4400);
  assert.equal(client.states.at(-1), "stopped:reload");
});

test("4426 reloads the page", () => {
  const { device, client } = livePage();
  device.socket.ends(4426);
  assert.equal(client.reloads, 1);
});

test("a device that slept an hour is back within two seconds", async () => {
  const { device } = livePage();
  device.time += 3_600_000;
  await device.pass(2_000);
  assert.equal(device.sockets.length, 2);
});

test("a hidden page whose timers hardly run keeps its socket as long as it hears from the server", async () => {
  const { device } = livePage();
  device.time += 59_000;
  device.socket.says({ t: "beat", heads: {}, now: 0 });
  await device.pass(1_500);
  assert.equal(device.sockets.length, 1);
});

test("coming back online ends the waiting", async () => {
  const { device, connection } = livePage();
  device.socket.ends(1006);
  connection.wake();
  await device.pass(1_000);
  assert.equal(device.sockets.length, 2);
});

test("coming back online does not wait for a try that hangs", async () => {
  const { device, connection } = livePage();
  device.socket.ends(1006);
  await device.pass(6_000);
  assert.equal(device.sockets.length, 2);
  await device.pass(1_500);
  connection.wake();
  await device.pass(1_000);
  assert.equal(device.sockets[1].closed, true);
  assert.equal(device.sockets.length, 3);
});

test("a line that does not answer a page that is looked at again is given up", async () => {
  const { device, client, connection } = livePage();
  connection.wake();
  await device.pass(1_500);
  assert.equal(device.sockets[0].closed, true);
  assert.deepEqual(client.states, ["live", "connecting"]);
});

test("a device that says it is offline is believed when the server does not answer a ping", async () => {
  const { device, client, connection } = livePage();
  device.isOffline = true;
  connection.doubt();
  assert.equal(device.socket.sent.at(-1).t, "ping");
  await device.pass(4_000);
  assert.equal(client.states.at(-1), "offline");
});

test("a device that says it is offline while the line is broken is believed at once", () => {
  const { device, client, connection } = livePage();
  device.socket.ends(1006);
  device.isOffline = true;
  connection.doubt();
  assert.deepEqual(client.states, ["live", "connecting", "offline"]);
});

test("a device that says it is offline is not believed when the server answers", async () => {
  const { device, client, connection } = livePage();
  connection.doubt();
  device.socket.says({ t: "pong", c: 0, now: 0 });
  await device.pass(4_000);
  assert.deepEqual(client.states, ["live"]);
});

test("what is no frame is not heard", () => {
  const { device, client } = livePage();
  for (const noise of ["<html>", "null", "7", "{"]) device.socket.says(noise);
  assert.deepEqual(client.heard.map(({ t }) => t), ["welcome"]);
});
