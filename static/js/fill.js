// Fills part templates; twin of sessions/live/marks.py. Knows the marks text, attr, if, each, n (form) and time, nothing else.

const ADDRESSES = new Set(["href", "src", "action", "formaction", "xlink:href"]);
const SAFE_ADDRESS = /^(https?:\/\/|[/#?](?!\/))/i;

const rules = new Map();
const clocks = new Map();

/** Fills `root` and everything in it with `values`. `zone` is the event's time zone, `lang` the page's language. */
export function fill(root, values, { zone = "UTC", lang = "en" } = {}) {
  walk(root, values, { zone, lang });
  return root;
}

/** The root of a part also carries what it is and how new. */
export function fillPart(root, part, { prefix = "", ...reader } = {}) {
  root.id = prefix + text(part.id).replaceAll(":", "-");
  root.dataset.part = text(part.id);
  root.dataset.seq = text(part.seq);
  return fill(root, part, reader);
}

function walk(element, values, reader) {
  const marks = element.dataset ?? {};
  for (const pair of marks.attr?.split(/\s+/) ?? []) if (pair) setAttribute(element, pair, values);
  if (marks.if !== undefined) toggle(element, holds(marks.if, values));
  if (marks.text !== undefined) setText(element, text(look(values, marks.text)));
  else if (marks.time !== undefined) setTime(element, look(values, marks.time), reader);
  else if (marks.each !== undefined) setItems(element, look(values, marks.each), reader);
  else walkChildren(element, values, reader);
}

function walkChildren(element, values, reader) {
  const number = element.dataset?.n;
  if (number !== undefined) choose(element, look(values, number), reader.lang);
  for (const child of element.children) if (child.localName !== "template") walk(child, values, reader);
}

function setText(element, value) {
  if (element.textContent !== value || element.firstElementChild) element.textContent = value;
}

function set(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Shows or hides; what stays as it is costs the page nothing. */
export function toggle(element, on) {
  set(element, "hidden", on ? null : "");
}

function setAttribute(element, pair, values) {
  const colon = pair.indexOf(":");
  const name = pair.slice(0, colon);
  const value = attribute(name, pair.slice(colon + 1), values);
  set(element, name, value !== null && ADDRESSES.has(name) && !SAFE_ADDRESS.test(value) ? null : value);
}

function attribute(name, expression, values) {
  if (!expression.includes("{")) return oneValue(name, look(values, expression) ?? null);
  let known = true;
  const filled = expression.replace(/\{([^{}]+)\}/g, (_, path) => {
    const value = look(values, path) ?? null;
    if (value === null) known = false;
    return text(value);
  });
  return known ? filled : null;
}

function oneValue(name, value) {
  if (typeof value === "boolean" && !name.startsWith("aria-")) return value ? "" : null;
  return value === null ? null : text(value);
}

/** Items keep their elements by place, so that focus stays where it is. */
function setItems(element, list, reader) {
  const items = Array.isArray(list) ? list : [];
  const template = element.firstElementChild;
  items.forEach((item, i) => {
    const child = element.children[i + 1] ?? element.appendChild(template.content.firstElementChild.cloneNode(true));
    walk(child, item, reader);
  });
  while (element.children.length > items.length + 1) element.lastElementChild.remove();
}

function choose(element, number, lang) {
  const forms = [...element.children].filter((child) => child.dataset.form !== undefined);
  const wanted = form(number, forms.map((child) => child.dataset.form), lang);
  for (const child of forms) toggle(child, child.dataset.form === wanted);
}

/** The plural form of `number` among `forms`: zero only if it is there, else what the language says, else other. */
export function form(number, forms, lang) {
  if (!number && forms.includes("zero")) return "zero";
  if (!rules.has(lang)) rules.set(lang, new Intl.PluralRules(lang));
  const wanted = typeof number === "number" ? rules.get(lang).select(number) : "other";
  return forms.includes(wanted) ? wanted : "other";
}

function setTime(element, ms, { zone }) {
  const known = typeof ms === "number";
  set(element, "datetime", known ? `${new Date(ms).toISOString().slice(0, 19)}Z` : null);
  setText(element, known ? clockTime(ms, zone) : "");
}

/** HH:MM in `zone`, 24 hours. */
export function clockTime(ms, zone) {
  if (!clocks.has(zone)) {
    const shape = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    clocks.set(zone, new Intl.DateTimeFormat("en-GB", shape));
  }
  return clocks.get(zone).format(ms);
}

/** `field`, `!field`, `field=a|b`, `!field=a|b`. */
export function holds(condition, values) {
  const not = condition.startsWith("!");
  const [path, ...wanted] = condition.slice(not ? 1 : 0).split("=");
  const found = look(values, path);
  const true_ = wanted.length ? wanted.join("=").split("|").includes(text(found)) : isSomething(found);
  return true_ !== not;
}

function isSomething(value) {
  return !(value === undefined || value === null || value === false || value === 0 || value === "" || isEmpty(value));
}

function isEmpty(value) {
  return Array.isArray(value) && value.length === 0;
}

function look(values, path) {
  if (path === ".") return values;
  return path.split(".").reduce((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : null), values);
}

function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value) {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : "";
}
