// The lobby: which tables can be chosen now and why others cannot; sitting down, changing and leaving in one tap.

import { keepFocus } from "./focus.js";
import { start } from "./live.js";
import { say } from "./words.js";

const PEOPLE_MS = 20_000;
const VIEW = "zc-lobby-view";

/** Seats can be taken in these phases. */
export function seatsOpen(phase) {
  return phase === "seating" || phase === "running";
}

/** Seats taken in all, of how many; the empty ones of closed tables do not count. */
export function sum(tables) {
  return tables.reduce(
    ({ taken, cap }, table) => ({ taken: taken + table.taken, cap: cap + (table.open ? table.cap : 0) }),
    { taken: 0, cap: 0 },
  );
}

/** Whether this person can sit down there: a chair that is kept for the host is free for the host. */
export function hasRoom({ open, full, taken, cap, host }, me) {
  return !full || (open && host === me.id && taken < cap);
}

/** What the operation of a form says: `seat.take` names its table, the others need nothing. */
export function wish(kind, table) {
  return kind === "seat.take" ? { table: Number(table) } : {};
}

function lobby(main) {
  const live = start(main);
  const refused = document.getElementById("refused");
  const yours = document.getElementById("yourseat");
  const href = yours.querySelector("a").getAttribute("href");
  let pressed = null; // the button that was pressed last: it may give way to another
  let told = null; // the button whose reason is shown
  const find = (query) => [...document.querySelectorAll(query)];

  function look() {
    const stage = live.stage();
    if (!stage) return;
    const tables = live.parts("room");
    const open = seatsOpen(stage.phase);
    for (const button of find("[data-sit]")) {
      const table = live.get("room", `table:${button.value}`);
      allow(button, open && !!table && hasRoom(table, live.me), `free-${button.value}`, open);
    }
    const anywhere = tables.some((table) => hasRoom(table, live.me));
    for (const button of find("[data-any]")) allow(button, open && anywhere, "any-hint", open);
    live.fill(document.getElementById("any-hint"), { room: anywhere });
    if (told && told.getAttribute("aria-disabled") !== "true") show("");
    live.fill(document.getElementById("sum"), sum(tables));
    const mine = tables.find((table) => table.table === live.me.seat?.table);
    live.fill(yours, { name: mine?.name ?? "", phase: stage.phase, session: stage.session, href });
    const people = document.getElementById("people");
    keepFocus(pressed, [yours.querySelector(".btn"), ...(pressed?.closest("li")?.querySelectorAll(".btn") ?? [])]);
    people.hidden = !["draft", "lobby"].includes(stage.phase) || !people.querySelector("li");
  }

  function allow(button, can, words, open) {
    button.setAttribute("aria-disabled", String(!can));
    button.setAttribute("aria-describedby", open ? words : `${words} why-not`);
  }

  async function act(event) {
    const form = event.target;
    const button = event.submitter;
    if (form.elements.s?.value !== "room") return;
    event.preventDefault();
    if (button?.getAttribute("aria-disabled") === "true") return sayWhy(button);
    pressed = button;
    button?.setAttribute("aria-busy", "true");
    const kind = form.elements.k.value;
    const answer = await live.send("room", kind, wish(kind, button?.value));
    button?.removeAttribute("aria-busy");
    show(answer.ok ? "" : answer.text);
  }

  function show(text, about = null) {
    told = about;
    live.fill(refused, { text });
    refused.hidden = !text;
  }

  function sayWhy(button) {
    const open = seatsOpen(live.stage().phase);
    const table = live.get("room", `table:${button.value}`);
    if (open && table) show(say(table.open ? "table-full" : "table-closed", { table: table.name }), button);
    else show(document.getElementById(open ? "any-hint" : "why-not").innerText.trim(), button);
  }

  function rememberView() {
    for (const radio of find('[name="view"]')) {
      radio.checked = radio.value === (stored() ?? "list");
      radio.addEventListener("change", () => store(radio.value));
    }
  }

  async function refreshPeople() {
    if (document.hidden || document.getElementById("people").hidden) return;
    const answer = await fetch(window.location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("people").replaceWith(document.adoptNode(page.getElementById("people")));
    look();
  }

  document.addEventListener("submit", act);
  for (const name of ["frame", "phase", "me"]) live.on(name, look);
  rememberView();
  look();
  window.setInterval(refreshPeople, PEOPLE_MS * (0.8 + 0.4 * Math.random()));
}

function stored() {
  try {
    return window.localStorage.getItem(VIEW);
  } catch {
    return null;
  }
}

function store(view) {
  try {
    window.localStorage.setItem(VIEW, view);
  } catch {
    // a browser that keeps nothing starts with the list again
  }
}

if (typeof document !== "undefined") lobby(document.getElementById("main"));
