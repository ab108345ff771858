// Which other tabs of this person are open. Tabs answer a question by message, which hidden tabs do without delay.

const ASK_MS = 10_000;
const FIRST_MS = 600;

/** Calls `gone(isGone)` soon after the start and then every ten seconds, with what is known by then. */
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
