// What was done last on the stage, and where: one account may lead from several consoles, each tells its own steps apart.

import { toast } from "./base.js";
import { recall, remember } from "./platform.js";
import { say } from "./words.js";

const OWN = "zc-own-steps";
const MOST_OWN = 12;

/** Tells in the list below the run sheet, and in a toast what is new and not ours. `live` is the page of live.js. */
export function tellDeeds(live) {
  const place = document.getElementById("deeds-now");
  const ours = new Set();
  const known = new Set((live.get("stage", "now")?.done ?? []).map(({ op }) => op));
  const show = () => {
    const done = placed(live.get("stage", "now")?.done ?? [], ownAmong(live, ours));
    live.fill(place, { done });
    for (const [at, deed] of done.entries()) if (!known.has(deed.op)) tell(place, at, deed, known);
  };
  live.on("answer", ({ op }) => ours.add(op.id));
  live.on("part", ({ s }) => s === "stage" && show());
  show();
}

/** Each with where it was done, as far as this tab knows. */
export function placed(done, own) {
  return done.map((deed) => ({ ...deed, where: own.has(deed.op) ? "here" : "elsewhere" }));
}

/** Those that this tab did, remembered through reloads. An answer may come after the part. */
function ownAmong(live, ours) {
  const done = (live.get("stage", "now")?.done ?? []).map(({ op }) => op);
  const sent = new Set([...ours, ...live.pending("stage").map(({ id }) => id)]);
  const own = [...new Set([...done.filter((op) => sent.has(op)), ...recall(OWN).split(" ")])].slice(0, MOST_OWN);
  remember(OWN, own.join(" "));
  return new Set(own);
}

function tell(place, at, { op, name, where }, known) {
  known.add(op);
  if (where === "here") return;
  const what = place.querySelectorAll("li")[at]?.querySelector(".what > :not([hidden])")?.textContent ?? "";
  toast(say("elsewhere", { name, what }));
}

