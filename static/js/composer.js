// The composers of a board: posting, the count near the limit, several pasted lines, refused texts that come back.

import { retype } from "./drafts.js";

const MOST = 1_000;
const WARN_FROM = 900;
const MOST_LINES = 30;

/** What to say about the length of `text`: `left` near the limit, `over` beyond it, else zero. */
export function room(text, most = MOST) {
  const length = [...text.normalize("NFC").trim()].length;
  return { left: length >= WARN_FROM && length <= most ? most - length : 0, over: Math.max(0, length - most) };
}

/** The lines that could be notes of their own; bullets and numbers of a list are dropped. */
export function linesOf(text) {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^\s*(?:[-*•–]|\d{1,2}[.)])\s+/, "").trim());
  return lines.filter(Boolean);
}

export function composers(live, main, stream) {
  const forms = [...main.querySelectorAll("[data-composer]")];
  for (const form of forms) compose(live, form, stream);
  const begun = forms.filter((form) => form.elements.text.value.trim());
  if (!begun.some((form) => tabOf(form).checked)) tabOf(begun[0]).checked = true; // words come back where they can be seen
  live.on("refused", ({ op, text }) => {
    const form = op.s === stream && op.k === "note.add" && forms.find((one) => Number(one.elements.q.value) === op.d.q);
    if (form) giveBack(live, form, op.d.text, text);
    return !!form;
  });
}

function compose(live, form, stream) {
  const field = form.elements.text;
  const offer = form.querySelector("[data-lines]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (room(field.value).over) return field.focus();
    post(live, form, stream, [field.value.trim()]);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  field.addEventListener("input", () => {
    refresh(live, form);
    if (linesOf(field.value).length < 2) offer.hidden = true;
  });
  field.addEventListener("paste", () => {
    if (!field.value.trim()) window.setTimeout(() => offerLines(live, field, offer));
  });
  form.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (!act) return;
    offer.hidden = true;
    if (act === "split") post(live, form, stream, linesOf(field.value));
    else field.focus();
  });
}

function offerLines(live, field, offer) {
  const lines = linesOf(field.value);
  offer.hidden = lines.length < 2 || lines.length > MOST_LINES || lines.some((line) => room(line).over);
  live.fill(offer, { n: lines.length });
}

function post(live, form, stream, texts) {
  const field = form.elements.text;
  for (const text of texts.filter(Boolean)) {
    const note = { q: Number(form.elements.q.value), text, colour: form.elements.colour.value };
    live.send(stream, "note.add", note, { preview: live.notePart(note) });
  }
  live.fill(form.querySelector("[data-refused]"), {});
  retype(field, "");
  field.focus();
}

function refresh(live, form) {
  const { left, over } = room(form.elements.text.value);
  live.fill(form.querySelector("[data-said]"), { left, over });
  form.elements.text.setAttribute("aria-invalid", over > 0);
  form.querySelector('[type="submit"]').setAttribute("aria-disabled", over > 0);
}

/** A refused text stands in its editor again, before what was begun meanwhile, with the reason below. */
function giveBack(live, form, text, reason) {
  const field = form.elements.text;
  retype(field, [text, field.value].filter((piece) => piece.trim()).join("\n\n"));
  live.fill(form.querySelector("[data-refused]"), { text: reason });
  tabOf(form).checked = true;
}

/** What shows the column of `form` where only one has room; a single question has none. */
function tabOf(form) {
  return document.getElementById(`q${form?.dataset.composer}`) ?? {};
}
