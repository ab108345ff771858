// Puts parts where they belong in the page: into every container of their stream and kind, in order, keyed by id.

import { fill, fillPart, toggle } from "./fill.js";

const FRESH_MS = 1_000;

/** The containers under `root`. `reader` is {zone, lang}; `lay(element)` lays over it what concerns the person. */
export class Parts {
  constructor({ root, reader, lay }) {
    Object.assign(this, { root, reader, lay, dirty: new Map() });
    this.containers = [...root.querySelectorAll("[data-stream][data-kind]")].map((element) => new Container(element));
  }

  /** Draws `changes` ({s, part, fresh}) with the next frame, then calls `told(all)`; a preview has nobody to tell. */
  put(changes, told) {
    const waits = this.dirty.size;
    for (const change of changes) this.dirty.set(`${change.s} ${change.part.id}`, change);
    this.told ??= told;
    if (waits || !this.dirty.size) return;
    soon(() => {
      const all = [...this.dirty.values()];
      this.dirty.clear();
      this.draw(all);
      const told = this.told;
      this.told = null;
      told?.(all);
    });
  }

  draw(changes) {
    const touched = new Set();
    for (const { s, part, fresh } of changes) {
      for (const container of this.containers) {
        if (!container.holds(s, part.id)) continue;
        this.place(container, part, fresh);
        touched.add(container);
      }
    }
    for (const container of touched) this.count(container);
  }

  place(container, part, fresh) {
    const known = container.elements.get(part.id);
    if (part.gone || !container.fits(part)) return container.remove(part.id);
    const element = known ?? clone(container.template);
    if (!element) return undefined;
    fillPart(element, part, { prefix: container.prefix, ...this.reader });
    this.lay(element);
    if (!known && fresh) freshen(element);
    return container.insert(part.id, element);
  }

  /** Empty states and counters that belong to a container. */
  count({ element, elements }) {
    if (!element.id) return;
    const id = CSS.escape(element.id);
    for (const empty of document.querySelectorAll(`[data-empty-for="${id}"]`)) toggle(empty, !elements.size);
    for (const counter of document.querySelectorAll(`[data-count-of="${id}"]`)) fill(counter, { n: elements.size }, this.reader);
  }
}

class Container {
  constructor(element) {
    const { stream, kind, where = "", template = kind, prefix = "", sort } = element.dataset;
    Object.assign(this, { element, stream, kind, template, prefix, numeric: sort === "number" });
    this.where = where.split(/\s+/).filter(Boolean).map((pair) => pair.split("="));
    const parts = [...element.children].filter((child) => child.dataset.part);
    this.elements = new Map(parts.map((part) => [part.dataset.part, part]));
    this.sorted = parts;
  }

  holds(s, id) {
    return s === this.stream && id.split(":")[0] === this.kind;
  }

  fits(part) {
    return this.where.every(([field, value]) => String(part[field]) === value);
  }

  remove(id) {
    const element = this.elements.get(id);
    if (!element) return;
    const heir = element.contains(document.activeElement) ? element.nextElementSibling ?? element.previousElementSibling : null;
    this.elements.delete(id);
    this.sorted.splice(this.sorted.indexOf(element), 1);
    element.remove();
    heir?.querySelector("a[href], button:not([hidden])")?.focus();
  }

  insert(id, element) {
    const moves = this.elements.has(id);
    if (moves && this.isInPlace(element)) return;
    if (moves) this.sorted.splice(this.sorted.indexOf(element), 1);
    const at = this.placeFor(element);
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    const add = moves && this.element.moveBefore ? "moveBefore" : "insertBefore";
    this.element[add](element, this.sorted[at] ?? null);
    this.sorted.splice(at, 0, element);
    this.elements.set(id, element);
    focused?.focus({ preventScroll: true });
  }

  isInPlace(element) {
    const { previousElementSibling: left, nextElementSibling: right } = element;
    return !(left?.dataset.part && this.compare(left, element) > 0) && !(right && this.compare(element, right) > 0);
  }

  /** Where in the order `element` belongs: binary search. */
  placeFor(element) {
    let low = 0;
    for (let high = this.sorted.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.compare(this.sorted[middle], element) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  compare(one, other) {
    const [a, b] = [one.dataset.order ?? "", other.dataset.order ?? ""];
    const [m, n] = this.numeric ? [Number(a), Number(b)] : [a, b];
    if (m !== n) return m < n ? -1 : 1;
    return one.dataset.part < other.dataset.part ? -1 : 1;
  }
}

function clone(name) {
  return document.getElementById(`part-${name}`)?.content.firstElementChild.cloneNode(true);
}

function freshen(element) {
  element.classList.add("fresh");
  setTimeout(() => {
    element.classList.remove("fresh");
    if (!element.className) element.removeAttribute("class");
  }, FRESH_MS);
}

/** Hidden pages draw no frames, and must not pile up work either. */
function soon(act) {
  if (document.hidden) setTimeout(act, 0);
  else requestAnimationFrame(act);
}
