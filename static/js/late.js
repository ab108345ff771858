// What is meant for the moment. Words may arrive an hour late; a step that was waiting for the line must not throw the event
// back, nor a seat take somebody from where they sit by now.

import { madeAt } from "./uuid7.js";

const STEP = /^(phase|clock|word|table|person)\.|^seat\.put$/;
const SEAT = /^seat\./;
const LATE_MS = { step: 15_000, seat: 60_000 };

/** Whether `op` may not go out any more at `now` (the server's clock, ms). */
export function isLate({ id, k }, now) {
  const most = STEP.test(k) ? LATE_MS.step : SEAT.test(k) ? LATE_MS.seat : Infinity;
  return now - madeAt(id) > most;
}
