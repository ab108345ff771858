// The moderator's word to all: it stands there until it is taken back, or put away by who has read it.

import { recall, remember } from "./platform.js";
import { notice } from "./words.js";

const READ = "zc-word-read";

/** `live` is the page of live.js; console and projector show the word in their own way and have no such banner. */
export function hearWord(live) {
  const banner = document.querySelector('[data-notice="word"]');
  if (!banner) return;
  const word = () => live.get("stage", "now")?.word ?? "";
  const show = () => notice("word", word() !== "" && word() !== recall(READ) && { word: word() });
  live.on("part", ({ s }) => s === "stage" && show());
  banner.querySelector("[data-close-notice]").addEventListener("click", () => remember(READ, word()));
  show();
}

/** What sticks below the crown has to know how high it is. */
export function measureCrown(root = document) {
  const bar = root.querySelector(".bar.sticky");
  if (!bar || !globalThis.ResizeObserver) return;
  const banners = root.getElementById("banners");
  const measure = () => banners.style.setProperty("--crown", `${bar.offsetHeight}px`);
  new ResizeObserver(measure).observe(bar);
}
