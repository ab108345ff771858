// The page "Does my connection work?": tries, shows, says what it means.

import { forOperators, forVisitors, marked, report } from "./advice.js";
import { fill } from "./fill.js";
import { openOutbox } from "./outbox.js";
import { tryAll } from "./trials.js";

/** What the trials need from this browser. `within` gives `otherwise` when a promise takes longer than `ms`. */
export function offered({ window, document, address, longest }) {
  return {
    address,
    document,
    longest,
    openOutbox,
    WebSocket: window.WebSocket,
    now: () => Date.now(),
    fetch: (...request) => window.fetch(...request),
    isStyled: () => window.getComputedStyle(document.documentElement).getPropertyValue("--paper") !== "",
    within: (promise, ms, otherwise) =>
      Promise.race([promise, new Promise((resolve) => window.setTimeout(() => resolve(otherwise), ms))]),
  };
}

function show(line, result, lang) {
  line.dataset.state = result.state;
  const ms = result.ms === undefined ? null : Math.max(1, Math.round(result.ms));
  fill(line, { note: "", ...result, ms }, { lang });
}

/** A line as it can be read, for the report. */
function spoken(line) {
  const words = line.querySelector("[data-note]").innerText.replace(/\s+/g, " ").trim();
  return { state: line.dataset.state, label: line.querySelector("strong").textContent, words };
}

async function run(main) {
  const lines = [...main.querySelectorAll("[data-check]")];
  const part = (name) => main.querySelector(`[data-part="${name}"]`);
  const lang = document.documentElement.lang;
  const address = new URL(main.dataset.live, location.href);
  const at = offered({ window, document, address, longest: Number(main.dataset.longest) });
  fill(part("verdict"), { runs: true });
  const told = (name, result) => show(lines.find((line) => line.dataset.check === name), result, lang);
  const found = await tryAll({ at, told });
  const operators = forOperators(found);
  const said = marked(forVisitors(found));
  part("verdict").classList.toggle("heed", !said.fine);
  fill(part("verdict"), { ...said, trouble: !said.fine });
  fill(part("operators"), { ...marked(operators), address: location.origin });
  const lead = { origin: location.origin, at: at.now(), agent: navigator.userAgent };
  main.querySelector("#report").value = report({ ...lead, lines: lines.map(spoken), operators });
  main.dataset.done = "";
  part("after").hidden = false;
}

if (typeof document !== "undefined") run(document.getElementById("main"));
