// What the trials of the connection mean, for the visitor and for whoever runs the server. Pure; the words stand in the page.

const MARKS = { ok: "✓", bad: "✗", none: "–", runs: "…" };

/** Names of what to say to the visitor, the most important first; `fine` if there is nothing. */
export function forVisitors({ poll, socket, there, long, hold, cookies, store, page }) {
  const said = [];
  if (poll.state === "bad") said.push(poll.note === "portal" ? "portal" : "away");
  else if (there.note === "busy") said.push("busy");
  else if (socket.state === "bad") said.push("blocked");
  else if ([there, long, hold].some(({ state }) => state === "bad")) said.push("shaky");
  if (page.state === "bad") said.push("bare");
  if (cookies.state === "bad") said.push("cookies");
  if (store.state === "bad") said.push("store");
  return said.length ? said : ["fine"];
}

/** The same for whoever runs the server: what most likely is wrong with the way to it. */
export function forOperators({ poll, socket, there, long, hold, secure, clock }) {
  const said = [];
  if (poll.state === "bad") said.push(poll.note === "portal" ? "intercepted" : "unreached");
  if (poll.state === "ok" && !poll.known) said.push("origin");
  else if (socket.note === "refused") said.push("upgrade");
  if (socket.note === "silent" || there.note === "silent") said.push("buffer");
  if (there.note === "busy") said.push("full");
  if (long.state === "bad") said.push("size");
  if (hold.state === "bad" || there.note === "closed") said.push("idle");
  if (secure.note === "plain") said.push("plain");
  if (clock.note === "off") said.push("clock");
  return said.length ? said : ["fine"];
}

/** As values for `fill`: {name: true}. */
export function marked(names) {
  return Object.fromEntries(names.map((name) => [name, true]));
}

/** A text to send to whoever runs the server. `lines` are [{state, label, words}]; `at` is a time in ms. */
export function report({ origin, at, agent, lines, operators }) {
  const head = ["ZoomCafé", origin, `${new Date(at).toISOString().slice(0, 16)}Z`].join(" · ");
  const tried = lines.map(({ state, label, words }) => `${MARKS[state]} ${label}${words ? `: ${words}` : ""}`);
  return [head, ...tried, `(${operators.join(", ")})`, agent].join("\n");
}
