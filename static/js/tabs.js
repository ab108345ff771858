// Which tabs of a person are open.

import { recall, remember } from "./platform.js";
import { uuid7 } from "./uuid7.js";

const ASK_MS = 10_000;
const FIRST_MS = 600;

/** The same through reloads of one tab. */
export function tabName() {
  const name = recall("zc-tab") || uuid7();
  remember("zc-tab", name);
  return name;
}

/**
 * Which other tabs of this person are open: they answer a question by message, which hidden tabs do without delay.
 * Calls `gone(isGone)` soon after the start and then every ten seconds, with what is known by then.
 */
export function watchTabs({ name, tab, gone, Channel = globalThis.BroadcastChannel, timers = globalThis }) {
  const heard = new Set();
  const isGone = (other) => other !== tab && !heard.has(other);
  const channel = Channel ? new Channel(name) : null;
  const say = (word) => channel?.postMessage(word);
  if (channel) channel.onmessage = ({ data }) => (data === "?" ? say(tab) : heard.add(data));
  say(tab);
  say("?");
  timers.setTimeout(() => gone(isGone), FIRST_MS);
  timers.setInterval(() => {
    gone(isGone);
    heard.clear();
    say("?");
  }, ASK_MS);
  return channel;
}
