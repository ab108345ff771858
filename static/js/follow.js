// Pages go where the event is, never away from text that is half typed or not sent.

import { notice } from "./words.js";
import { placeOf } from "./phase.js";
import { recall, remember } from "./platform.js";

const FOLLOWING = ["lobby", "table", "gallery"];
const NOTICE_MS = 3_000;
const GALLERY_MS = 1_000;
const AGAIN_MS = 60_000;
const SLACK_MS = 10;

/** Why this page is not where the person should be, as text that names the place; "" if it is right. */
export function wayFrom({ page, board, session }, stage, me) {
  if (!FOLLOWING.includes(page) || me.role === "moderator") return "";
  const seat = seatIn(stage.session, me);
  const place = placeOf(stage.phase, seat?.table);
  if (place !== page) return place;
  if (page === "table" && board && seat?.board && board !== String(seat.board)) return "table";
  return page !== "gallery" && session && stage.session && session !== String(stage.session) ? page : "";
}

/** A seat of an earlier session is none: the stage may tell of the new one before `me` does. */
function seatIn(session, { seat }) {
  return seat?.session && session && seat.session !== session ? null : seat;
}

/** A page that was opened where it is stays until something changes: from the table one may look at the lobby. */
export class Follow {
  /** `open()` says what holds the page back: {draft, unsent, cut}; `leave()` is called just before it goes. */
  constructor({ page, event, open, leave, now = Date.now, go = (address) => location.assign(address) }) {
    Object.assign(this, { page, event, open, leave, now, go, way: "", at: 0, hurry: 0, start: null });
  }

  /** The person tapped for a seat: no notice is needed. */
  tapped() {
    this.hurry = this.now() + NOTICE_MS;
  }

  look(stage, me) {
    this.seen = [stage, me];
    const state = [stage.phase, stage.session, me.seat?.table, me.seat?.board].join();
    this.start ??= state;
    const way = state === this.start ? "" : wayFrom(this.page, stage, me);
    if (way !== this.way) this.begin(way);
    if (!way || this.gone) return;
    const { draft, unsent, cut } = this.open();
    const wait = draft || unsent || this.wasJustSent(stage, me);
    const soon = cut || this.now() < this.at; // without a line there is nothing but the browser's error page
    notice("stay", wait && { draft, unsent: !draft && unsent, place: way });
    notice("follow", !wait && soon && { place: way });
    if (!wait && !soon) this.setOff();
  }

  begin(way) {
    this.way = way;
    const wait = way === "gallery" ? GALLERY_MS : NOTICE_MS;
    this.at = this.now() < this.hurry ? 0 : this.now() + wait;
    clearTimeout(this.timer);
    if (way && this.at) this.timer = setTimeout(() => this.look(...this.seen), wait + SLACK_MS);
    notice("stay", false);
    notice("follow", false);
  }

  /** Coming back to the same page again and again helps nobody: then only the button goes. */
  wasJustSent(stage, me) {
    this.mark = [this.event, this.way, this.page.page, this.page.board, stage.phase, stage.session, me.seat?.board].join();
    const [mark, at] = recall("zc-sent").split("@");
    return mark === this.mark && this.now() - Number(at) < AGAIN_MS;
  }

  /** The browser shows this page again as it was left. */
  returned() {
    this.gone = false;
  }

  setOff() {
    this.gone = true;
    remember("zc-sent", `${this.mark}@${this.now()}`);
    this.leave();
    this.go(`/e/${this.event}/`);
  }
}
