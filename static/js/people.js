// The console's dialogs: one for the table, one for the person that was tapped. What is tapped stays what it is,
// however the room changes meanwhile.

import { act, refuse } from "./acts.js";
import { toast } from "./base.js";
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
    this.looked = { table: 0, person: 0, name: "" };
    this.acts = {
      table: (button) => this.openTable(Number(button.closest("[data-table]").dataset.table)),
      person: (button) => this.openPerson(Number(button.dataset.p)),
      "more-seats": () => this.set({ cap: this.table().cap + 1 }),
      "fewer-seats": () => this.set({ cap: this.table().cap - 1 }),
      "close-table": () => this.set({ open: false }),
      "open-table": () => this.set({ open: true }),
      free: () => this.put(null),
      remove: () => this.change({ removed: true }, "removed"),
    };
    this.forms = {
      "name-table": async ({ name }) => (await this.set({ name })) && toast(say("renamed")),
      "name-person": ({ name }) => this.change({ name }, "renamed"),
      move: ({ table }) => this.put(Number(table)),
    };
  }

  table() {
    return this.live.get("room", `table:${this.looked.table}`);
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
    const view = personView(this.looked.person, this.live.parts("room"), this.page.numbers);
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
    document.getElementById("person-table").value = String(view.table ?? view.emptiest);
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

  async change(values, word) {
    const { person, name } = this.looked;
    this.removal.close();
    if (!(await act(this.live, "room", "person.set", { p: person, ...values }))) return;
    this.personDialog.close();
    toast(say(word, { name }));
  }
}

/** All the person dialog shows; the name is empty for somebody who is neither at a table nor in the lobby. */
export function personView(id, room, numbers) {
  const at = room.find((table) => table.seats.some((seat) => seat.p === id));
  const seat = at?.seats.find((one) => one.p === id) ?? numbers?.lobby.find((one) => one.p === id);
  const emptiest = [...room].filter((table) => !table.full).sort((a, b) => a.taken - b.taken || a.no - b.no)[0];
  return {
    name: seat?.name ?? "",
    at: at?.name ?? "",
    table: at?.table ?? null,
    emptiest: emptiest?.table ?? "",
    away: numbers?.away?.find((one) => one.p === id)?.since ?? null,
    tables: room.map((table) => ({ ...table, label: `${table.name} · ${table.taken}/${table.cap}` })),
  };
}
