// The menu of a note: one for all notes, showing what may be done with this one.

import { isOpen, toast, toggleMenu } from "./base.js";
import { noteDialogs } from "./notedialogs.js";
import { above, below, idsIn } from "./places.js";
import { say } from "./words.js";

const WAIT_MS = 3_000; // what a press waits for a note that is saved and on its way

/** Which entries stand in the menu for `part`. `ids` are the notes of its question in their order. */
export function entries(part, { me, canMove, ids, closed }) {
  const moderator = me.role === "moderator";
  const own = (part.by === me.id || moderator) && !closed;
  return {
    edit: own,
    colour: own,
    up: canMove && above(ids, part.note) !== undefined,
    down: canMove && below(ids, part.note) !== undefined,
    move: canMove,
    hide: moderator && !closed && !part.hidden,
    show: moderator && !closed && part.hidden,
    gone: own,
  };
}

export function noteMenu(live, main, { stream, can, move }) {
  const menu = document.getElementById("note-menu");
  const dialogs = noteDialogs(live, main, { stream, move });
  let looked = null; // {id, button, list} of the note whose menu is open
  let stopWaiting = () => {};

  const part = () => live.get(stream, `note:${looked.id}`);
  const send = (kind, data) => live.send(stream, kind, { note: looked.id, ...data });

  function open(button) {
    const note = button.closest("[data-part]");
    looked = { id: note.dataset.part.slice("note:".length), button, list: note.parentElement };
    stopWaiting();
    if (!part()) return openWhenHere();
    const closed = ["closed", "archived"].includes(live.stage()?.phase);
    const shown = entries(part(), { me: live.me, canMove: can.move(), ids: idsIn(looked.list), closed });
    live.fill(menu, { ...shown, nothing: !Object.values(shown).some(Boolean) });
    for (const paper of menu.querySelectorAll("[data-act=colour]")) {
      paper.setAttribute("aria-checked", paper.value === part().colour);
    }
    toggleMenu(menu, button);
  }

  /** The answer that a note is saved may come before the note itself. A press in between is not lost. */
  function openWhenHere() {
    stopWaiting = whenHere(looked.id, open);
    setTimeout(stopWaiting, WAIT_MS);
  }

  /** Calls `act` with the button of note `id` when a frame brings the note, unless somebody went on. Returns how to give up. */
  function whenHere(id, act) {
    const off = live.on("frame", () => {
      const button = main.querySelector(`[data-part="note:${id}"] [data-act=more]`);
      if (!button || !live.get(stream, `note:${id}`)) return;
      off();
      if ([document.body, main, button].includes(document.activeElement)) act(button);
    });
    return off;
  }

  async function remove() {
    const note = looked.id;
    const { ok } = await send("note.gone");
    if (!ok) return;
    const piece = toast(say("deleted"), { label: say("undo"), act: () => bringBack(note) });
    if (document.activeElement === document.body) piece.querySelector("button").focus();
  }

  /** The note comes with its part; who pressed Undo by keyboard goes on from there. */
  function bringBack(note) {
    const off = whenHere(note, (button) => button.focus());
    live.send(stream, "note.back", { note }).then(({ ok }) => ok || off());
  }

  const acts = {
    edit: () => dialogs.edit(part()),
    colour: async (entry) => (await send("note.edit", { colour: entry.value })).ok && live.tell("recoloured", {}),
    up: () => move(looked.id, above(idsIn(looked.list), looked.id)),
    down: () => move(looked.id, below(idsIn(looked.list), looked.id)),
    move: () => dialogs.move(part()),
    hide: () => send("note.hide"),
    show: () => send("note.show"),
    gone: remove,
  };

  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act=more]");
    if (button) open(button);
  });
  menu.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-act]");
    if (!entry) return;
    close();
    if (part()) acts[entry.dataset.act](entry);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Tab") close();
    if (event.key === "Escape" && !menu.togglePopover) close();
  });

  function close() {
    const { button } = looked;
    if (isOpen(menu)) toggleMenu(menu, button);
    button.focus();
  }
}
