// Sessions, questions and tables as pieces of the planning form: copied from templates, named, numbered.

const NAMED = ["id", "name", "for", "value", "aria-describedby", "aria-labelledby", "data-session", "data-question"];
const PIECE = "[data-session], [data-question], [data-table]";

/** What a button is for: `add-session` adds a session, `question-up` moves a question up. */
export function wishOf(act) {
  const [first, last] = act.split("-");
  return first === "add" || first === "remove" ? { verb: first, what: last } : { verb: last, what: first };
}

/** A token that nothing in the form has yet: `n` and a number. */
export function newToken(taken) {
  let n = 0;
  while (taken.has(`n${n}`)) n += 1;
  return `n${n}`;
}

/** `text` with every name of `names` replaced by what stands for it. */
export function renamed(text, names) {
  return Object.entries(names).reduce((done, [name, token]) => done.replaceAll(name, token), text);
}

/** A copy of the template's one element, with `names` put in. */
export function copyOf(template, names) {
  const piece = template.content.firstElementChild.cloneNode(true);
  for (const element of [piece, ...piece.querySelectorAll("*")]) {
    for (const name of NAMED) {
      if (element.hasAttribute(name)) element.setAttribute(name, renamed(element.getAttribute(name), names));
    }
  }
  return piece;
}

/** Every piece of a list says its number: in its own words, not in those of pieces inside it. */
export function numberAll(list) {
  [...list.children].forEach((piece, i) => {
    for (const words of piece.querySelectorAll("[data-numbered]")) {
      if (words.closest(PIECE) === piece) words.textContent = words.dataset.numbered.replace("{n}", i + 1);
    }
  });
}

export function firstField(piece) {
  return piece?.querySelector("textarea, input:not([type=hidden])") ?? null;
}
