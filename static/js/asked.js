// A question that was added, taken away or moved while people sit here: the page is read anew, but never away from text
// that is half typed or not sent. (Other words for a question simply follow.)

import { recall, remember } from "./platform.js";
import { notice } from "./words.js";

const SPREAD_MS = 2_000; // not everybody at once
const AGAIN_MS = 60_000;

/** The ids of the questions at a table in their order: its own, else everybody's. Twin of `questions_of` in tables/gallery.py. */
export function askedAt(stage, table) {
  const own = table?.questions ?? [];
  return (own.length ? own : stage.questions).map(({ id }) => id);
}

/** `shown` are the ids on the page, of session number `session`; `open()` says what holds it back: {draft, unsent, cut}. */
export class Asked {
  constructor({ shown, session, open, now = Date.now, random = Math.random, go = () => location.reload() }) {
    Object.assign(this, { shown: shown.join(), session, open, now, random, go, at: 0, gone: false });
  }

  /** Looks at what is asked as of now; called with every change and every second. */
  look(stage, table) {
    if (this.gone || !stage || stage.session !== this.session) return;
    const asked = askedAt(stage, table).join();
    if (asked === this.shown) return this.rest();
    this.at ||= this.now() + this.random() * SPREAD_MS;
    const { draft, unsent, cut } = this.open();
    const holds = draft || unsent || cut || this.wasJustRead(asked);
    notice("questions", holds && { draft });
    if (!holds && this.now() >= this.at) this.read(asked);
  }

  rest() {
    if (this.at) notice("questions", false);
    this.at = 0;
  }

  /** A page that is never right does not help by coming again and again: then only the button does it. */
  wasJustRead(asked) {
    const [before, at] = recall("zc-asked").split("@");
    return before === asked && this.now() - Number(at) < AGAIN_MS;
  }

  read(asked) {
    this.gone = true;
    remember("zc-asked", `${asked}@${this.now()}`);
    this.go();
  }
}
