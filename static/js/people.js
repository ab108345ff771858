// The console's dialogs: one for the table, one for the person that was tapped. What is tapped stays what it is,
// however the room changes meanwhile.

import { act } from "./acts.js";
import { toast } from "./base.js";
import { say } from "./words.js";

export function people(page) {
  const { live } = page;
  const tableDialog = document.getElementById("table-dialog");
  const personDialog = document.getElementById("person-dialog");
  const removal = document.getElementById("remove-dialog");
  const looked = { table: 0, person: 0, name: "" };

  const room = () => live.parts("room");
  const table = () => live.get("room", `table:${looked.table}`);

  function showTable() {
    if (table()) live.fill(tableDialog, table());
    else tableDialog.close();
  }

  function showPerson() {
    const view = personView(looked.person, room(), page.numbers);
    looked.name = view.name ||= looked.name; // who left meanwhile keeps the name they had
    live.fill(personDialog, view);
    live.fill(removal.querySelector("[data-remove]"), view);
    return view;
  }

  function openTable(id) {
    looked.table = id;
    showTable();
    document.getElementById("table-name").value = table().name;
    tableDialog.showModal();
  }

  function openPerson(id) {
    Object.assign(looked, { person: id, name: "" });
    const view = showPerson();
    document.getElementById("person-name").value = view.name;
    document.getElementById("person-table").value = String(view.table ?? view.emptiest);
    personDialog.showModal();
  }

  function closeAll() {
    for (const dialog of [removal, personDialog]) dialog.close();
  }

  const set = (values) => act(live, "room", "table.set", { table: looked.table, ...values });
  const put = (to) => act(live, "room", "seat.put", { p: looked.person, table: to });
  const person = (values) => act(live, "room", "person.set", { p: looked.person, ...values });

  const acts = {
    table: (button) => openTable(Number(button.closest("[data-table]").dataset.table)),
    person: (button) => openPerson(Number(button.dataset.p)),
    "more-seats": () => set({ cap: table().cap + 1 }),
    "fewer-seats": () => set({ cap: table().cap - 1 }),
    "close-table": () => set({ open: false }),
    "open-table": () => set({ open: true }),
    free: async () => (closeAll(), await put(null)),
    remove: removeThem,
  };

  async function removeThem() {
    const { name } = showPerson();
    closeAll();
    if (await person({ removed: true })) toast(say("removed", { name }));
  }

  const forms = {
    "name-table": async (values) => (await set({ name: values.name })) && toast(say("renamed")),
    "name-person": async (values) => (closeAll(), await person({ name: values.name })) && toast(say("renamed")),
    move: async (values) => (closeAll(), await put(Number(values.table))),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-act]");
    const does = button && acts[button.dataset.act];
    if (!does || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    does(button);
  });
  document.addEventListener("submit", (event) => {
    const does = forms[event.target.dataset.formAct];
    if (!does) return;
    event.preventDefault();
    does(Object.fromEntries(new FormData(event.target)));
  });
  live.on("frame", ({ s }) => {
    if (s !== "room") return;
    if (tableDialog.open) showTable();
    if (personDialog.open) showPerson();
  });

  const asked = Number(new URLSearchParams(location.search).get("table"));
  if (asked && live.get("room", `table:${asked}`)) openTable(asked);
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
