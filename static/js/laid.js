// Long boards: notes far from the window are laid out only when they come near (note.css). While the browser has nothing
// else to do, the others are laid out too, a few at a time, so that scrolling finds them ready.

const STEP = 12; // notes at a time: less than a frame's work on most phones
const SPARE_MS = 20;

/** Lays out `notes` whenever there is time. Browsers that do not tell when that is leave them as they are. */
export function layOutInTime(notes, idle = globalThis.requestIdleCallback) {
  const next = (deadline) => {
    if (deadline.timeRemaining() > SPARE_MS) for (const note of notes.splice(0, STEP)) note.dataset.laid = "";
    if (notes.length) idle(next);
  };
  idle?.(next);
}
