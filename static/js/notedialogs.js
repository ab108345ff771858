// Two dialogs of the board: editing a note (with both versions where somebody else was faster) and moving it.

import { room } from "./composer.js";
import { idsIn } from "./places.js";
import { say } from "./words.js";

const SNIPPET = 40;

/** The places a note can go to among `notes` ({note, text}), as options. */
export function places(notes, id, words) {
  const others = notes.filter(({ note }) => note !== id);
  return [{ value: "", text: words("first") }, ...others.map(({ note, text }) => ({ value: note, text: words("after", { text: short(text) }) }))];
}

function short(text) {
  const letters = [...text.replace(/\s+/g, " ")];
  return letters.length > SNIPPET ? `${letters.slice(0, SNIPPET - 1).join("").trim()}…` : letters.join("");
}

export function noteDialogs(live, main, { stream, move }) {
  const editor = document.getElementById("edit-note");
  const field = document.getElementById("edit-text");
  const theirs = editor.querySelector("[data-theirs]");
  const mover = document.getElementById("move-note");
  const question = document.getElementById("move-question");
  const place = document.getElementById("move-place");
  let edited = null;
  let moved = null;

  /** `text` is what somebody wrote already; `reason` why it did not get through; `conflict` whether both are offered. */
  function edit(part, { text = part.text, reason = "", conflict = false } = {}) {
    if (editor.open) return editor.addEventListener("close", () => edit(part, { text, reason, conflict }), { once: true });
    edited = part;
    field.defaultValue = part.text;
    field.value = text;
    theirs.hidden = !conflict;
    editor.querySelector("[data-act=theirs]").hidden = !conflict;
    live.fill(theirs, { text: part.text });
    const refused = editor.querySelector("[data-refused]");
    refused.hidden = !reason;
    live.fill(refused, { text: reason });
    count();
    editor.showModal();
    field.focus();
  }

  function count() {
    const { left, over } = room(field.value);
    live.fill(editor.querySelector("[data-said]"), { left, over });
    editor.querySelector("[data-act=save]").setAttribute("aria-disabled", String(over > 0 || !field.value.trim()));
  }

  async function save() {
    const text = field.value.trim();
    if (!text || room(text).over) return field.focus();
    const part = edited;
    editor.close();
    if (text === part.text) return;
    const answer = await live.send(stream, "note.edit", { note: part.note, text }, { base: part.edited });
    if (!answer.ok) edit(answer.part ?? part, { text, reason: answer.text, conflict: answer.code === "conflict" });
  }

  function openMover(part) {
    moved = part;
    question.value = String(part.q);
    fillPlaces();
    mover.showModal();
    question.focus();
  }

  function fillPlaces() {
    const list = document.getElementById(`notes-${question.value}`);
    const notes = idsIn(list).map((id) => live.get(stream, `note:${id}`)).filter(Boolean);
    const options = places(notes, moved.note, say);
    live.fill(place, { places: options });
    place.value = options.at(-1).value;
  }

  function put() {
    const q = Number(question.value);
    move(moved.note, place.value || null, q === moved.q ? null : q);
    mover.close();
  }

  const acts = { save, put, theirs: () => editor.close() };
  for (const dialog of [editor, mover]) {
    dialog.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act === "cancel") dialog.close();
      else acts[act]?.();
    });
    dialog.addEventListener("submit", (event) => (event.preventDefault(), dialog === mover && put()));
    dialog.addEventListener("close", () => main.querySelector(`[data-part="note:${(dialog === mover ? moved : edited).note}"] [data-act=more]`)?.focus());
  }
  field.addEventListener("input", count);
  field.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && save());
  question.addEventListener("change", fillPlaces);
  live.on("refused", ({ op, orphan }) => op.s === stream && op.k === "note.edit" && !orphan);
  return { edit, move: openMover };
}
