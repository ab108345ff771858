// The console's dialogs: one for the table, one for the person that was tapped. What is tapped stays what it is,
// however the room changes meanwhile.

import { act, refuse } from "./acts.js";
import { toast } from "./base.js";
import { personView } from "./person.js";
import { say } from "./words.js";

const SEATS = { least: 1, most: 50 };

export function people(page) {
  const dialogs = new Dialogs(page);
  document.addEventListener("click", (event) => dialogs.onClick(event));
  document.addEventListener("submit", (event) => dialogs.onSubmit(event));
  page.live.on("frame", ({ s }) => s === "room" && dialogs.follow());
  dialogs.openAsked();
}

class Dialogs {
  constructor(page) {
    this.page = page;
    this.live = page.live;
    this.tableDialog = document.getElementById("table-dialog");
    this.personDialog = document.getElementById("person-dialog");
    this.removal = document.getElementById("remove-dialog");
    this.choice = document.getElementById("person-table");
    this.choice.addEventListener("change", () => this.showPerson());
    this.looked = { table: 0, person: 0, name: "" };
    this.acts = {
      table: (button) => this.openTable(Number(button.closest("[data-table]").dataset.table)),
      person: (button) => this.openPerson(Number(button.dataset.p)),
      "more-seats": () => this.set({ cap: this.table().cap + 1 }),
      "fewer-seats": () => this.set({ cap: this.table().cap - 1 }),
      "close-table": () => this.set({ open: false }),
      "open-table": () => this.set({ open: true }),
      free: () => this.put(null),
      host: () => this.appoint(this.chosen(), this.looked.person, "host"),
      "no-host": () => this.appoint(this.hosted(), null, "no-host"),
      remove: () => this.change({ removed: true }, "removed"),
    };
    this.forms = {
      "name-table": async ({ name }) => (await this.set({ name })) && toast(say("renamed")),
      "name-person": ({ name }) => this.change({ name }, "renamed"),
      move: () => this.put(this.chosen()),
    };
  }

  table() {
    return this.live.get("room", `table:${this.looked.table}`);
  }

  /** The table chosen in the person's dialog. */
  chosen() {
    return Number(this.choice.value);
  }

  hosted() {
    return this.live.parts("room").find(({ host }) => host === this.looked.person)?.table;
  }

  onClick(event) {
    const button = event.target.closest?.("[data-act]");
    const does = button && this.acts[button.dataset.act];
    if (!does || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    does(button);
  }

  onSubmit(event) {
    const does = this.forms[event.target.dataset.formAct];
    if (!does) return;
    event.preventDefault();
    does(Object.fromEntries(new FormData(event.target)));
  }

  /** The dialogs follow the room. A table that is gone takes its dialog along. */
  follow() {
    if (this.tableDialog.open) this.table() ? this.showTable() : this.tableDialog.close();
    if (this.personDialog.open) this.showPerson();
  }

  showTable() {
    const { cap } = this.table();
    this.live.fill(this.tableDialog, { ...this.table(), least: cap <= SEATS.least, most: cap >= SEATS.most });
  }

  showPerson() {
    const view = personView(this.looked.person, this.live.parts("room"), this.page.numbers, this.chosen());
    this.looked.name = view.name ||= this.looked.name; // who left meanwhile keeps the name they had
    this.live.fill(this.personDialog, view);
    this.live.fill(this.removal.querySelector("[data-remove]"), view);
    return view;
  }

  openTable(id) {
    this.looked.table = id;
    refuse(this.live, "");
    this.showTable();
    document.getElementById("table-name").value = this.table().name;
    this.tableDialog.showModal();
  }

  openPerson(id) {
    Object.assign(this.looked, { person: id, name: "" });
    refuse(this.live, "");
    const view = this.showPerson();
    document.getElementById("person-name").value = view.name;
    this.choice.value = String(view.table ?? view.emptiest);
    this.showPerson();
    this.personDialog.showModal();
  }

  /** A card that was opened in a new tab, or without JavaScript. */
  openAsked() {
    const asked = Number(new URLSearchParams(location.search).get("table"));
    if (this.live.get("room", `table:${asked}`)) this.openTable(asked);
  }

  set(values) {
    return act(this.live, "room", "table.set", { table: this.looked.table, ...values });
  }

  async put(table) {
    if (await act(this.live, "room", "seat.put", { p: this.looked.person, table })) this.personDialog.close();
  }

  async appoint(table, host, word) {
    const { name } = this.looked;
    if (!(await act(this.live, "room", "table.set", { table, host }))) return;
    this.personDialog.close();
    toast(say(word, { name, table: this.live.get("room", `table:${table}`)?.name }));
  }

  async change(values, word) {
    const { person, name } = this.looked;
    this.removal.close();
    if (!(await act(this.live, "room", "person.set", { p: person, ...values }))) return;
    this.personDialog.close();
    toast(say(word, { name }));
  }
}
