// Dragging a note by its handle, with mouse, pen or finger. Only the drop says something; Escape puts it back.

import { dropped, idsIn } from "./places.js";

const SLACK = 5; // pixels before a tap becomes a drag
const EDGE = 70; // pixels at the window's edge that scroll
const SPEED = 12;

const fills = (box, listWidth) => box.width > listWidth * 0.6;

/** The side of `box` a point lies on: by height in a single column, else by width. */
export function sideOf(box, point, listWidth) {
  const before = fills(box, listWidth) ? point.y < box.top + box.height / 2 : point.x < box.left + box.width / 2;
  return before ? "before" : "after";
}

/** How far to scroll when the pointer stands at height `y` of a window. */
export function pull(y, height) {
  if (y < EDGE) return -SPEED;
  return y > height - EDGE ? SPEED : 0;
}

export function drag(main, { can, move }) {
  let held = null; // {note, grip, from, at, scrolled, moving, over}

  main.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-act=grip]");
    if (!grip || event.button !== 0 || !can.move()) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const at = { x: event.clientX, y: event.clientY };
    held = { note: grip.closest("[data-part]"), grip, from: at, at, scrolled: window.scrollY, moving: false, over: null };
  });
  main.addEventListener("pointermove", (event) => {
    if (!held) return;
    held.at = { x: event.clientX, y: event.clientY };
    if (!held.moving && Math.hypot(held.at.x - held.from.x, held.at.y - held.from.y) > SLACK) begin();
    if (held.moving) follow();
  });
  main.addEventListener("pointerup", () => held && end({ drop: held.moving }));
  main.addEventListener("pointercancel", () => held && end({ drop: false }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && held) end({ drop: false });
  });

  function begin() {
    held.moving = true;
    held.note.dataset.dragging = "";
    window.requestAnimationFrame(scroll);
  }

  function follow() {
    const { note, at, from, scrolled } = held;
    note.style.setProperty("translate", `${at.x - from.x}px ${at.y - from.y + window.scrollY - scrolled}px`);
    const under = document.elementFromPoint(at.x, at.y);
    const list = under?.closest(".q")?.querySelector(".notes[data-stream]") ?? null;
    mark(list && { list, ...target(list, under) });
  }

  function target(list, under) {
    const note = under.closest(".notes[data-stream] > [data-part]");
    if (!note) return { note: null, side: "after" };
    const box = note.getBoundingClientRect();
    return { note, side: sideOf(box, held.at, list.clientWidth), across: fills(box, list.clientWidth) };
  }

  function mark(over) {
    delete held.over?.list.dataset.drop;
    delete held.over?.note?.dataset.drop;
    held.over = over;
    if (!over) return;
    if (over.note) over.note.dataset.drop = over.side + (over.across ? " across" : "");
    else over.list.dataset.drop = "";
  }

  function scroll() {
    if (!held?.moving) return;
    const by = pull(held.at.y, window.innerHeight);
    if (by) {
      window.scrollBy(0, by);
      follow();
    }
    window.requestAnimationFrame(scroll);
  }

  function end({ drop }) {
    const { note, over } = held;
    mark(null);
    held = null;
    delete note.dataset.dragging;
    note.style.removeProperty("translate");
    if (!drop || !over) return;
    const id = (element) => element.dataset.part.slice("note:".length);
    const after = dropped(idsIn(over.list), id(note), over.note && id(over.note), over.side);
    const q = over.list === note.parentElement ? null : Number(over.list.dataset.where.split("=")[1]);
    if (after !== undefined) move(id(note), after, q);
  }
}
