// The parts a page knows, by stream and id, as the server said them last.

export class Store {
  /** `initial` is {stream: [part, …]} as it stands in the page. */
  constructor(initial = {}) {
    this.streams = new Map();
    for (const [s, parts] of Object.entries(initial)) for (const part of parts) this.of(s).set(part.id, part);
    this.stale = new Map();
  }

  of(s) {
    if (!this.streams.has(s)) this.streams.set(s, new Map());
    return this.streams.get(s);
  }

  get(s, id) {
    return this.streams.get(s)?.get(id);
  }

  all(s) {
    return [...(this.streams.get(s)?.values() ?? [])];
  }

  /** Takes parts in; gives what changed as [{s, part, old}]. */
  put(s, parts) {
    const known = this.of(s);
    const stale = this.stale.get(s);
    return parts.map((part) => {
      const old = known.get(part.id);
      if (part.gone) known.delete(part.id);
      else known.set(part.id, part);
      stale?.delete(part.id);
      return { s, part, old };
    });
  }

  /** From here on everything of `s` is doubtful until it comes again. */
  markStale(s) {
    this.stale.set(s, new Set(this.of(s).keys()));
  }

  /** What has not come again is gone. */
  dropStale(s) {
    const ids = [...(this.stale.get(s) ?? [])];
    this.stale.delete(s);
    return this.put(s, ids.map((id) => ({ id, seq: this.get(s, id)?.seq ?? 0, gone: true })));
  }

  forget(s) {
    this.streams.delete(s);
    this.stale.delete(s);
  }
}
