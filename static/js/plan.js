// The planning form: things are added, removed and moved in place. Without this module its buttons ask the server for the same.
import { fill } from "./fill.js";
import { copyOf, firstField, newToken, numberAll, wishOf } from "./pieces.js";
import { number, preview } from "./preview.js";

const MOST = { session: 6, question: 4, table: 400 };
const GOOD_SEATS = { least: 4, most: 6 };

/** `few`, `many` or nothing: the advice beside the number of seats. */
export function seatsAdvice(typed) {
  const seats = number(typed);
  if (!seats) return "";
  return seats < GOOD_SEATS.least ? "few" : seats > GOOD_SEATS.most ? "many" : "";
}

class PlanForm {
  constructor(form) {
    this.form = form;
    this.sessions = form.querySelector("[data-sessions]");
    this.tables = form.querySelector("[data-tables]");
    this.changed = "changed" in form.dataset;
    form.addEventListener("click", (event) => this.click(event));
    form.addEventListener("input", () => this.change());
    form.addEventListener("change", () => this.change());
    form.addEventListener("submit", () => (this.changed = false));
    window.addEventListener("beforeunload", (event) => this.keep(event));
    if ("guessZone" in form.dataset) this.guessZone();
    this.show();
  }

  value(name) {
    return this.form.elements.namedItem(name)?.value ?? "";
  }

  change() {
    this.changed = true;
    this.show();
  }

  keep(event) {
    if (!this.changed) return;
    event.preventDefault();
    event.returnValue = true;
  }

  /** The browser knows better where we are than the server does before the first event. */
  guessZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const choices = this.form.elements.namedItem("time_zone");
    if ([...choices.options].some((option) => option.value === zone)) choices.value = zone;
  }

  click(event) {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    event.preventDefault();
    const { verb, what } = wishOf(button.dataset.do);
    const piece = button.closest(`[data-${what}]`);
    if (button.getAttribute("aria-disabled") === "true") return;
    if (verb === "add") this.add(what, button.closest("[data-session]"));
    else if (verb === "remove") this.remove(piece);
    else this.move(piece, verb);
    this.change();
    if (verb === "up" || verb === "down") this.tell(piece, button);
  }

  add(what, session) {
    const things = this.form.querySelectorAll("[data-session], [data-question]");
    const taken = new Set([...things].map((thing) => thing.dataset.session ?? thing.dataset.question));
    const token = newToken(taken);
    const names = session
      ? { SESSION: session.dataset.session, QUESTION: token }
      : { SESSION: token, QUESTION: newToken(taken.add(token)) };
    const piece = copyOf(document.getElementById(`new-${what}`), names);
    (session?.querySelector("[data-questions]") ?? this.sessions).append(piece);
    firstField(piece).focus();
  }

  remove(piece) {
    const next = piece.nextElementSibling ?? piece.previousElementSibling;
    const around = piece.parentElement.parentElement;
    piece.remove();
    (firstField(next) ?? around.querySelector("[data-do^=add]")).focus();
  }

  move(piece, way) {
    const other = way === "up" ? piece.previousElementSibling : piece.nextElementSibling;
    if (!other || "held" in other.dataset) return;
    if (way === "up") other.before(piece);
    else other.after(piece);
  }

  /** Focus stays on the button that moved away with its piece, and where the piece stands now is said. */
  tell(piece, button) {
    button.focus();
    document.getElementById("say").textContent = piece.querySelector("[data-numbered]").textContent;
  }

  show() {
    numberAll(this.sessions);
    this.limit(this.sessions, "session");
    for (const questions of this.sessions.querySelectorAll("[data-questions]")) {
      numberAll(questions);
      this.limit(questions, "question");
    }
    this.showTables();
    const advice = seatsAdvice(this.value("seats"));
    for (const words of this.form.querySelectorAll("[data-seats]")) words.hidden = words.dataset.seats !== advice;
    const values = preview(this.values());
    fill(document.querySelector("[data-preview]").firstElementChild, values, { lang: document.documentElement.lang });
  }

  limit(list, what) {
    const full = list.children.length >= MOST[what];
    const place = list.nextElementSibling;
    place.querySelector(`[data-do="add-${what}"]`).setAttribute("aria-disabled", full);
    place.querySelector("[data-most]").hidden = !full;
  }

  showTables() {
    const count = Math.min(number(this.value("tables")) || this.tables.children.length, MOST.table);
    while (this.tables.children.length < count) {
      const n = this.tables.children.length + 1;
      this.tables.append(copyOf(document.getElementById("new-table"), { "t0-": `t${n}-` }));
    }
    numberAll(this.tables);
    const usual = this.tables.dataset[this.value("language")] ?? "";
    [...this.tables.children].forEach((row, i) => {
      row.hidden = i >= count;
      this.form.elements.namedItem(`t${i + 1}-name`).placeholder = usual.replace("{n}", i + 1);
      this.form.elements.namedItem(`t${i + 1}-seats`).placeholder = this.value("seats");
    });
    if (this.value("table_model") === "own") this.tables.closest("details").open = true;
  }

  values() {
    const sessions = [...this.sessions.children].map(({ dataset: { session } }) => ({
      title: this.value(`s${session}-title`),
      minutes: this.value(`s${session}-minutes`),
    }));
    const rows = [...this.tables.children].map((_, i) => this.value(`t${i + 1}-seats`));
    return { starts: this.value("starts"), tables: this.value("tables"), seats: this.value("seats"), sessions, rows };
  }
}

if (typeof document !== "undefined") {
  new PlanForm(document.getElementById("plan"));
  document.querySelector(".banner[autofocus]")?.focus();
}
