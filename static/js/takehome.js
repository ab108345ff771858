// What a person takes home, shared in the gallery.

/** Wires the form. */
export function share(live) {
  const form = document.getElementById("take");
  const refused = document.getElementById("take-refused");
  const said = (word) => {
    for (const state of form.querySelectorAll("[data-said]")) state.hidden = state.dataset.said !== word;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = form.elements.text.value.trim();
    said("sending");
    refused.hidden = true;
    const answer = await live.send("gallery", "takeaway.set", { text });
    said(answer.ok ? "saved" : "");
    const { text: field } = form.elements;
    const all = field.value.trim() === text;
    if (answer.ok) field.defaultValue = all ? field.value : text; // which is no half-typed text any more
    if (answer.ok && all) return live.drafts.forget(field);
    refused.hidden = answer.ok;
    live.fill(refused, { text: answer.text ?? "" });
  });
  form.addEventListener("input", () => said(""));
  live.on("refused", ({ op, orphan }) => op.k === "takeaway.set" && !orphan);
}
