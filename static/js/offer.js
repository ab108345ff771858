// Offers what somebody had begun to write on an earlier page: add it to its table, keep it, discard it.

import { toast } from "./base.js";
import { notice, say } from "./words.js";

/** `send(s, k, d, {base})` posts or changes a note; `drafts` keeps the texts. The markup is templates/live/draft.html. */
export class Offer {
  constructor({ drafts, send }) {
    Object.assign(this, { drafts, send, entry: null });
    document.addEventListener("click", ({ target, detail }) => {
      if (detail > 1) return; // a double click's second one meets the next text, which nobody has read
      this.act(target.closest?.("[data-draft-act]")?.dataset.draftAct);
      this.putAway(target.closest?.("[data-kept-key]")?.dataset.keptKey);
    });
  }

  show() {
    const texts = this.drafts.homeless();
    this.entry = texts.find((entry) => !entry.kept) ?? null;
    notice("draft", this.entry ?? false);
    const kept = texts.filter((entry) => entry.kept);
    notice("kept", kept.length > 0 && { texts: kept, n: kept.length });
  }

  /** What another tab has sent, discarded or written on is not done again: then what there is now is shown. */
  act(what) {
    const { entry } = this;
    if (!what || !entry) return;
    if (this.drafts.read(entry.key)?.at === entry.at) this[what](entry);
    else this.show();
  }

  async add(entry) {
    const { s, q, text, colour = "butter", note, base } = entry;
    const sent = note ? this.send(s, "note.edit", { note, text }, { base }) : this.send(s, "note.add", { q, text, colour });
    this.putAway(entry.key);
    const answer = await sent;
    if (answer.ok) return toast(say(note ? "draft-changed" : "draft-added"));
    if (!note && answer.taken) return; // it stands in its composer
    this.drafts.write(entry.key, entry);
    this.show();
    return notice("draft-refused", { reason: answer.text });
  }

  keep(entry) {
    const { key, ...rest } = entry;
    this.drafts.write(key, { ...rest, kept: true });
    this.show();
  }

  discard(entry) {
    this.putAway(entry.key);
  }

  putAway(key) {
    if (!key) return;
    this.drafts.remove(key);
    this.show();
  }
}
