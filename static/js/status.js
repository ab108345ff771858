// Says how things stand with the line: nothing while all is well, else one banner with what is true.

import { notice } from "./notices.js";

const PATIENCE_MS = 2_000;
const STOPS = ["join", "removed", "gone", "tabs", "reload"];

let timer = 0;

/** `waiting` operations have no answer yet. A short break is not worth a word. */
export function showStatus({ state, why, waiting }) {
  clearTimeout(timer);
  notice("offline", state === "offline" && { waiting });
  for (const stop of STOPS) notice(`stopped-${stop}`, state === "stopped" && why === stop && { waiting });
  if (state === "connecting") timer = setTimeout(() => notice("connecting", { waiting }), PATIENCE_MS);
  else notice("connecting", false);
}
