// What the page says: words from templates, banners, polite announcements. No module holds a language.

import { fill, form } from "./fill.js";

const EVERY_MS = 4_000;
const PATIENCE_MS = 2_000;
const STOPS = ["join", "removed", "gone", "tabs", "reload"];

let found = null;
let patience = 0;
let asks = false;

/** The text `key` with `{name}` replaced from `values`; `n` chooses the plural form. Unknown keys say nothing. */
export function say(key, values = {}) {
  const forms = words().get(key) ?? {};
  const lang = document.documentElement.lang || "en";
  const text = forms[""] ?? forms[form(values.n, Object.keys(forms), lang)] ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function words() {
  if (found) return found;
  found = new Map();
  for (const template of document.querySelectorAll("template#words, template[data-words]")) {
    for (const word of template.content.querySelectorAll("[data-word]")) {
      const { word: key, form: own = "" } = word.dataset;
      found.set(key, { ...found.get(key), [own]: word.textContent.trim() });
    }
  }
  return found;
}

/** Shows the banner `name` filled with `values`, for `ms` if given; `values` false hides it. */
export function notice(name, values = {}, { ms = 0 } = {}) {
  const banner = document.querySelector(`[data-notice="${name}"]`);
  if (!banner) return null;
  clearTimeout(banner.leaving);
  banner.hidden = values === false;
  if (values) fill(banner, values, { lang: document.documentElement.lang || "en" });
  if (ms && values) banner.leaving = setTimeout(() => (banner.hidden = true), ms);
  return banner;
}

/** Buttons `data-close-notice` put their banner away. */
export function closable(root) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-close-notice]");
    if (button) button.closest("[data-notice]").hidden = true;
  });
}

/** How things stand with the line: nothing while all is well, else the one banner that is true. A short break is not worth a word. */
export function showStatus({ state, why, waiting }) {
  clearTimeout(patience);
  notice("offline", state === "offline" && { waiting });
  for (const stop of STOPS) notice(`stopped-${stop}`, state === "stopped" && why === stop && { waiting });
  tellOfPolling(state === "polling");
  if (state === "connecting") patience = setTimeout(() => notice("connecting", { waiting }), PATIENCE_MS);
  else notice("connecting", false);
}

/** Once each time it begins: who puts the banner away has read it. */
function tellOfPolling(polling) {
  if (polling !== asks) notice("polling", polling && {});
  asks = polling;
}

/** For people who listen to the page. `say(key, values)` gives the words, `region` speaks them. Numbers of the same key add up until they are said. */
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
