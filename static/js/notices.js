// The banners of a live page (templates/live/notices.html): shown, filled and hidden by name.

import { fill } from "./fill.js";

/** Shows the banner `name` filled with `values`, for `ms` if given; `values` false hides it. */
export function notice(name, values = {}, { ms = 0 } = {}) {
  const banner = document.querySelector(`[data-notice="${name}"]`);
  if (!banner) return null;
  clearTimeout(banner.leaving);
  banner.hidden = values === false;
  if (values) fill(banner, values, { lang: document.documentElement.lang || "en" });
  if (ms && values) banner.leaving = setTimeout(() => (banner.hidden = true), ms);
  return banner;
}

/** Buttons `data-close-notice` put their banner away. */
export function closable(root) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-close-notice]");
    if (button) button.closest("[data-notice]").hidden = true;
  });
}
