// "1 note is being sent again": said as long as it is true, and long enough to be read.

import { notice } from "./words.js";

const TO_READ_MS = 6_000;

export class Resent {
  /** `pending()` gives the operations that have no answer yet. */
  constructor({ pending }) {
    Object.assign(this, { pending, ids: new Set(), toRead: 0 });
  }

  tell(ops) {
    const notes = ops.filter((op) => op.k.startsWith("note."));
    if (!notes.length) return;
    this.ids = new Set(notes.map(({ id }) => id));
    notice("again", { n: notes.length });
    this.toRead = setTimeout(() => this.look((this.toRead = 0)), TO_READ_MS);
  }

  look() {
    if (!this.toRead && !this.pending().some(({ id }) => this.ids.has(id))) notice("again", false);
  }
}
