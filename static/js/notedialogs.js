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

/** What `entry` of the drafts, if there is one, brings to editing `part`; and what somebody else has made of the note since. */
export function begun(entry, part) {
  return { text: entry?.text, theirs: entry && entry.base !== part.edited && part.text };
}

export function noteDialogs(live, main, { stream, move }) {
  const { drafts } = live;
  const editor = document.getElementById("edit-note");
  const field = document.getElementById("edit-text");
  const mover = document.getElementById("move-note");
  const question = document.getElementById("move-question");
  const place = document.getElementById("move-place");
  let edited = null;
  let beside = null;
  let moved = null;

  const keyOf = ({ note }) => `${drafts.prefix}${stream} edit ${note}`;

  /** `how` may say: the `text` begun already, the `reason` why it did not get through, `theirs` as others have it now. */
  function edit(part, how = begun(drafts.read(keyOf(part)), part)) {
    if (editor.open) return editor.addEventListener("close", () => edit(part, how), { once: true });
    edited = part;
    beside = how;
    field.defaultValue = part.text;
    field.value = how.text ?? part.text;
    count();
    editor.showModal();
    field.focus();
  }

  function count() {
    const { left, over } = room(field.value);
    live.fill(editor, { ...beside, left, over });
    editor.querySelector("[data-act=save]").setAttribute("aria-disabled", over > 0 || !field.value.trim());
  }

  /** With the version it was begun from: what others make of the note is seen before it is replaced. */
  function keep(part, text) {
    drafts.write(keyOf(part), { s: stream, note: part.note, base: part.edited, text: text === part.text ? "" : text });
  }

  /** By a button; who leaves by Escape or the way back finds the words again. */
  function close() {
    drafts.remove(keyOf(edited));
    editor.close();
  }

  async function save() {
    const text = field.value.trim();
    if (!text || room(text).over) return field.focus();
    const part = edited;
    close();
    if (text === part.text) return;
    const answer = await live.send(stream, "note.edit", { note: part.note, text }, { base: part.edited });
    if (answer.ok) return;
    keep(part, text);
    edit(answer.part ?? part, { text, reason: answer.text, theirs: answer.code === "conflict" && answer.part?.text });
  }

  function openMover(part) {
    moved = part;
    question.value = part.q;
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

  const acts = { save, put, close, cancel: () => mover.close() };
  for (const dialog of [editor, mover]) {
    dialog.addEventListener("click", (event) => {
      acts[event.target.closest("[data-act]")?.dataset.act]?.();
    });
    dialog.addEventListener("close", () => main.querySelector(`[data-part="note:${(dialog === mover ? moved : edited).note}"] [data-act=more]`)?.focus());
  }
  mover.addEventListener("submit", (event) => (event.preventDefault(), put()));
  field.addEventListener("input", () => (keep(edited, field.value), count()));
  field.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && save());
  question.addEventListener("change", fillPlaces);
  live.on("refused", ({ op, orphan }) => op.s === stream && op.k === "note.edit" && !orphan);
  return { edit, move: openMover };
}
