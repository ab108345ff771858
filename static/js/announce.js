// Says politely what happened, at most every few seconds, for people who listen to the page.

const EVERY_MS = 4_000;

/** `say(key, values)` gives the words, `region` speaks them. Numbers of the same key add up until they are said. */
export function announcer({ region, say, every = EVERY_MS, timers = globalThis }) {
  const waiting = new Map();
  let resting = false;
  const speak = () => {
    resting = waiting.size > 0;
    if (!resting) return;
    const text = [...waiting].map(([key, values]) => say(key, values)).filter(Boolean).join(" ");
    waiting.clear();
    if (region && text) region.textContent = text;
    timers.setTimeout(speak, every);
  };
  return (key, values = {}) => {
    const before = waiting.get(key);
    waiting.set(key, { ...values, n: (before?.n ?? 0) + (values.n ?? 1) });
    if (!resting) {
      resting = true;
      timers.setTimeout(speak, 0);
    }
  };
}
