// The moderator's word to all: it stands there until it is taken back, or put away by who has read it.

import { recall, remember } from "./platform.js";
import { notice } from "./words.js";

const READ = "zc-word-read";

/** `live` is the page of live.js; console and projector show the word in their own way and have no such banner. */
export function hearWord(live) {
  const banner = document.querySelector('[data-notice="word"]');
  if (!banner) return;
  const stage = () => live.get("stage", "now");
  const show = () => notice("word", isUnread(stage(), recall(READ)) && { word: stage().word });
  live.on("part", ({ s }) => s === "stage" && show());
  banner.querySelector("[data-close-notice]").addEventListener("click", () => remember(READ, saying(stage())));
  show();
}

/** Whether a word stands there that is another saying than the one put away. */
export function isUnread(stage, read) {
  return saying(stage) !== "" && saying(stage) !== read;
}

/** What tells one saying from another, also of the same words; "" while nothing is said. */
export function saying(stage) {
  return stage?.said ?? stage?.word ?? "";
}

/** What sticks below the crown has to know how high it is. */
export function measureCrown(root = document) {
  const bar = root.querySelector(".bar.sticky");
  if (!bar || !globalThis.ResizeObserver) return;
  const banners = root.getElementById("banners");
  const measure = () => banners.style.setProperty("--crown", `${bar.offsetHeight}px`);
  new ResizeObserver(measure).observe(bar);
}
