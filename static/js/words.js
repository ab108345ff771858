// Words for what scripts say. They stand in templates (`<i data-word="key">`), so that no module holds a language.

import { form } from "./fill.js";

let found = null;

function words() {
  if (found) return found;
  found = new Map();
  for (const template of document.querySelectorAll("template#words, template[data-words]")) {
    for (const word of template.content.querySelectorAll("[data-word]")) {
      const { word: key, form: own = "" } = word.dataset;
      found.set(key, { ...found.get(key), [own]: word.textContent.trim() });
    }
  }
  return found;
}

/** The text `key` with `{name}` replaced from `values`; `n` chooses the plural form. Unknown keys say nothing. */
export function say(key, values = {}) {
  const forms = words().get(key) ?? {};
  const lang = document.documentElement.lang || "en";
  const text = forms[""] ?? forms[form(values.n, Object.keys(forms), lang)] ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
