// Half-typed text: kept at every input, put back after a reload, offered on the next page, forgotten when it is sent.

import { OLD_MS, wasBefore } from "./claims.js";

export class Drafts {
  /** `owner` is "<event key>/<participant>"; `store` is localStorage, or null where there is none; `may` marks notes to edit. */
  constructor({ owner, store = localStore(), root = document, may = "[data-mine]" }) {
    Object.assign(this, { owner, prefix: `zc-draft/${owner}/`, store, root, may });
  }

  start() {
    if (!this.store) return;
    this.inherit();
    this.root.addEventListener("input", ({ target }) => target.matches?.("[data-draft]") && this.keep(target));
    for (const field of this.fields()) this.restore(field);
  }

  /** Texts of a guest who was here before this one. */
  inherit() {
    for (const key of Object.keys(this.store)) {
      const [place, event, id] = key.split("/");
      if (place !== "zc-draft" || !wasBefore(`${event}/${id}`, this.owner)) continue;
      this.store.setItem(key.replace(`${event}/${id}`, this.owner), this.store.getItem(key));
      this.store.removeItem(key);
    }
  }

  fields() {
    return [...this.root.querySelectorAll("[data-draft]")];
  }

  /** Whether somebody is in the middle of a text on this page, in a dialog too. */
  open() {
    const fields = this.root.querySelectorAll("[data-draft], dialog[open] textarea");
    return [...fields].some((field) => field.value.trim() && field.value !== field.defaultValue);
  }

  key(field) {
    return this.prefix + [field.dataset.draft, field.dataset.q].filter(Boolean).join(" ");
  }

  keep(field) {
    const { draft: s, q, tableName: table } = field.dataset;
    const colour = field.form?.elements.colour?.value;
    field.kept = field.value;
    this.write(this.key(field), { s, q: q && Number(q), table, colour, text: field.value === field.defaultValue ? "" : field.value });
  }

  /** Text without a field of its own: a refused note of an earlier page. The same note's (`as`) takes its place. */
  add({ s, q, text, colour, as }) {
    this.write(`${this.prefix}${s} ${q} ${as}`, { s, q, text, colour });
  }

  write(key, entry) {
    try {
      if (entry.text.trim()) this.store?.setItem(key, JSON.stringify({ ...entry, at: Date.now() }));
      else this.store?.removeItem(key);
    } catch {
      this.store = null;
    }
  }

  restore(field) {
    field.autocomplete = "off"; // or the browser, too, puts back what was sent meanwhile
    const entry = this.read(this.key(field));
    if (!entry || field.value !== field.defaultValue) return;
    retype(field, entry.text);
  }

  /** The page is shown as it was left: a text whose draft is gone was sent or discarded on another page. One never kept stays. */
  returned() {
    for (const field of this.fields()) {
      if (this.store && field.kept === field.value && !this.read(this.key(field))) retype(field, field.defaultValue);
    }
  }

  forget(field) {
    this.remove(this.key(field));
  }

  /** Forgets all half-typed texts of an event, whoever wrote them here, and keeps none from now on. */
  close(event) {
    for (const key of Object.keys(this.store ?? {})) if (key.startsWith(`zc-draft/${event}/`)) this.remove(key);
    this.store = null;
  }

  remove(key) {
    this.store?.removeItem(key);
  }

  read(key) {
    try {
      return JSON.parse(this.store?.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  /** Texts that have no place on this page, oldest first: [{key, text, s, q, table, note, base, kept}]. */
  homeless() {
    const here = new Set(this.fields().map((field) => this.key(field)));
    const keys = Object.keys(this.store ?? {}).filter((key) => key.startsWith(this.prefix) && !here.has(key));
    const found = keys.map((key) => ({ key, ...this.read(key) })).filter((entry) => this.isYoung(entry));
    return found.filter((entry) => !this.isAtHome(entry)).sort((one, other) => one.at - other.at);
  }

  /** New words for a note wait in its "Edit". A guest who came in anew has no such notes any more. */
  isAtHome({ s, note }) {
    return note && this.root.querySelector(`[data-stream="${s}"] ${this.may}[data-part="note:${note}"]`);
  }

  isYoung({ key, text, at }) {
    if (text && Date.now() - at < OLD_MS) return true;
    this.remove(key);
    return false;
  }
}

/** As if somebody had typed it. */
export function retype(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function localStore() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}
