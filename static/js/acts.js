// What the moderator does, as operations; a refusal is said on the page.

import { say } from "./words.js";

/** The operation a plain form stands for: hidden fields that are numbers or truths are sent as such. */
export function operation(fields) {
  const data = {};
  let stream = "";
  let kind = "";
  for (const { name, value, typed } of fields) {
    if (name === "s") stream = value;
    else if (name === "k") kind = value;
    else if (!["id", "next", "csrfmiddlewaretoken"].includes(name)) data[name] = typed ? value : meant(value);
  }
  return { stream, kind, data };
}

function meant(value) {
  if (/^-?\d+$/.test(value)) return Number(value);
  return { true: true, false: false }[value] ?? value;
}

/** Leads the event only while connected: a step that was meant an hour ago must not be taken now. */
export async function act(live, stream, kind, data) {
  const cut = ["offline", "stopped"].includes(live.status.state);
  refuse(live, cut ? say("offline-step") : "");
  if (cut) return false;
  const answer = await live.send(stream, kind, data);
  if (!answer.ok) refuse(live, answer.text);
  return answer.ok;
}

/** Shows why something was not done, in an open dialog too; nothing to say hides it. */
export function refuse(live, text) {
  for (const place of document.querySelectorAll("[data-refused]")) live.fill(place, { text });
}
