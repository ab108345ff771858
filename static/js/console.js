// The moderator's console: the next step, the clock, the word to all, what the tables wrote, and the desk.

import { act, operation, refuse } from "./acts.js";
import { toast } from "./base.js";
import { tellDeeds } from "./deeds.js";
import { deskReader, showCode } from "./desk.js";
import { keepFocus } from "./focus.js";
import { start } from "./live.js";
import { people } from "./people.js";
import { lead, sums } from "./steps.js";
import { say } from "./words.js";

const MOST_CARDS = 16; // beyond them the cards are dense

function run(main) {
  const live = start(main);
  const page = { live, main, numbers: null, pressed: null };
  const desk = deskReader(main.dataset.desk, (view) => showDesk(page, view));
  live.on("glance", (frame) => showNumbers(page, frame));
  live.on("phase", () => (showStep(page), showSums(page), desk()));
  live.on("part", ({ part }) => part.id === "closing" && showClosing(part.text));
  live.on("frame", ({ s }) => {
    if (s === "room") showCards(page), showSums(page);
    if (s === "stage") showStep(page), showSums(page), desk();
  });
  document.addEventListener("submit", (event) => onSubmit(event, page));
  document.addEventListener("click", (event) => onClick(event, live));
  for (const kind of ["click", "keydown"]) document.addEventListener(kind, stopSecond, true);
  people(page);
  tellDeeds(live);
}

function showStep({ live, main, pressed }) {
  const view = lead(live.get("stage", "now"), live.now());
  for (const id of ["next", "word", "by-hand", "closing", "edit"]) live.fill(document.getElementById(id), view);
  main.classList.toggle("is-ended", view.ended);
  for (const title of document.querySelectorAll("[data-title]")) title.textContent = view.title;
  keepFocus(pressed, pressed?.form.parentElement.querySelectorAll("button") ?? []);
}

function showDesk({ live, main }, view) {
  for (const id of ["way-desk", "jumps-desk"]) live.fill(document.getElementById(id), view);
  showCode(live, main, view);
}

function showNumbers(page, frame) {
  page.numbers = frame;
  page.live.fill(document.getElementById("storage"), frame);
  showCards(page);
  showSums(page);
}

function showSums({ live, numbers }) {
  if (!numbers) return;
  const view = sums(live.parts("room"), numbers, live.stage().phase);
  for (const id of ["head-sums", "sums", "lacking", "waiting-sums"]) live.fill(document.getElementById(id), view);
}

/** A card is a part of the room and, below it, numbers that come once a second. */
function showCards({ live, numbers }) {
  const cards = document.querySelectorAll("#tables > [data-part]");
  document.getElementById("tables").classList.toggle("dense", cards.length > MOST_CARDS);
  if (!numbers) return;
  for (const card of cards) {
    const part = live.get("room", card.dataset.part);
    if (part) live.fill(card, { ...part, notes: 0, last: "", ...numbers.tables[part.table] });
  }
}

async function onSubmit(event, page) {
  const { live } = page;
  const form = event.target;
  if (!("op" in form.dataset)) return;
  event.preventDefault();
  if (form.dataset.busy) return refuse(live, live.status.state === "live" ? "" : say("offline-step"));
  if ("step" in form.dataset) nameStep(form, live);
  const named = [...form.elements].filter((field) => field.name);
  const { stream, kind, data } = operation(named.map((f) => ({ name: f.name, value: f.value, typed: f.type !== "hidden" })));
  form.dataset.busy = "1";
  page.pressed = event.submitter;
  const done = await act(live, stream, kind, data);
  delete form.dataset.busy;
  const field = form.querySelector("textarea");
  if (done && field && "keep" in form.dataset) live.drafts.forget(field), showClosing(data.text), toast(say("said"));
  else if (done && field) clear(field);
}

/** The form says which step it means, so that neither a second click nor the clock can make it another one. */
function nameStep(form, live) {
  const { next, next_no: number } = lead(live.get("stage", "now"), live.now());
  const phase = form.elements.namedItem("phase");
  form.elements.namedItem("session")?.remove();
  phase.value = next;
  if (number) phase.after(Object.assign(document.createElement("input"), { type: "hidden", name: "session", value: number }));
}

/** The second click of a double click, or a key held down, meets a button that has meanwhile become the next step's. */
function stopSecond(event) {
  if ((event.repeat || event.detail > 1) && event.target.closest?.("[data-step], .pause")) event.preventDefault();
}

/** The closing sentence stays in its field to be corrected; what somebody is typing there is not overwritten. */
function showClosing(text) {
  const field = document.getElementById("closing-text");
  const untouched = field.value === field.defaultValue;
  field.defaultValue = text;
  document.getElementById("closing-said").textContent = text;
  if (untouched) field.value = text;
}

function clear(field) {
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  toast(say("said"));
}

function onClick({ target }, live) {
  const button = target.closest?.("[data-act]");
  if (button?.dataset.act === "read") refuse(live, "");
  if (button?.dataset.act !== "jump") return;
  const { phase, session } = button.dataset;
  document.getElementById("jump").close();
  act(live, "stage", "phase.go", session ? { phase, session: Number(session) } : { phase });
}

if (typeof document !== "undefined") run(document.getElementById("main"));
