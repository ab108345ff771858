// The live page: wires the line, the parts, the outbox and the clock together. Page modules start here.

import { Again } from "./again.js";
import { ownerOf } from "./claims.js";
import { ServerClock, Timekeeper } from "./clock.js";
import { Connection } from "./connection.js";
import { begin, step } from "./core.js";
import { Drafts } from "./drafts.js";
import { EFFECTS, Moments, news } from "./effects.js";
import { fill } from "./fill.js";
import { Follow } from "./follow.js";
import { readyGong } from "./gong.js";
import { keeps } from "./kept.js";
import { Offer } from "./offer.js";
import { lay } from "./overlay.js";
import { Parts } from "./parts.js";
import { browser, listenToDevice } from "./platform.js";
import { hearWord, measureCrown } from "./said.js";
import { Sender } from "./sender.js";
import { Store } from "./store.js";
import { Turns } from "./turns.js";
import { announcer, closable, say } from "./words.js";

/** Once per page, with its `<main>`. The API is told in ARCHITECTURE.md. */
export function start(main) {
  const live = new Live(main);
  live.begin();
  return live;
}

class Live {
  constructor(main) {
    const { event, zone, lang } = main.dataset;
    const data = (name) => JSON.parse(main.dataset[name] ?? "{}");
    Object.assign(this, { main, event, me: data("me"), reader: { zone, lang }, listeners: new Map(), caughtUp: new Set(), byeMs: null });
    this.owner = ownerOf(event, this.me);
    this.core = begin({ epoch: main.dataset.epoch, streams: data("streams") });
    this.epoch = this.core.epoch;
    this.store = new Store(data("parts"));
    Object.assign(this.me, { seat: null }, ...this.store.all("me").map(news));
    this.clock = new ServerClock(Number(main.dataset.now), Date.now());
    main.removeAttribute("data-parts");
    this.turns = new Turns(this);
    this.moments = new Moments(this);
    this.view = new Parts({ root: document, reader: this.reader, lay: (element) => this.refresh(element) });
    this.connection = new Connection({ address: new URL(main.dataset.live, location.href), client: this.turns, platform: browser });
    this.sender = new Sender({ owner: this.owner, page: this.turns });
    this.drafts = new Drafts({ owner: this.owner, may: this.me.role === "moderator" ? "" : "[data-mine]" });
    this.offer = new Offer({ drafts: this.drafts, send: (...op) => this.send(...op) });
    this.time = new Timekeeper(this.moments);
    this.again = new Again(this);
    this.follower = new Follow({ page: main.dataset, event, open: () => this.turns.open(), leave: () => this.emit("before-leave", {}) });
    this.tell = announcer({ region: document.getElementById("say"), say });
  }

  begin() {
    closable(document);
    readyGong(["console", "screen"].includes(this.main.dataset.page));
    for (const s of Object.keys(this.core.streams)) this.caughtUp.add(s);
    this.refresh();
    this.drafts.start();
    this.offer.show();
    hearWord(this);
    measureCrown();
    this.connection.start();
    this.sender.start();
    this.again.start();
    this.time.start();
    listenToDevice({ connection: this.connection, page: this.turns });
  }

  send(s, k, d, options) {
    return this.sender.send(s, k, d, options);
  }

  get(s, id) {
    return this.store.get(s, id);
  }

  parts(s) {
    return this.store.all(s);
  }

  stage() {
    return this.time.stage();
  }

  now() {
    return this.clock.now(Date.now());
  }

  pending(s) {
    return this.sender.pending(s);
  }

  get status() {
    const { state, why } = this.connection;
    return { state, why, waiting: this.pending().filter(keeps).length };
  }

  on(name, heard) {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set());
    this.listeners.get(name).add(heard);
    return () => this.listeners.get(name).delete(heard);
  }

  /** True if one of the listeners says that it took care. */
  emit(name, event) {
    return [...(this.listeners.get(name) ?? [])].map((heard) => heard(event)).includes(true);
  }

  fill(root, values) {
    fill(root, values, this.reader);
    this.refresh(root);
    return root;
  }

  /** Lays over again what concerns the person. */
  refresh(root = document.body) {
    lay(root, { me: this.me, stateOf: (id, mine) => this.turns.stateOf(id, mine), isJust: (id) => this.sender.just.has(id) });
  }

  /** A note as it will look, until the real one comes. */
  notePart({ q, text, colour }) {
    const { id: by, name } = this.me;
    const at = this.now();
    return { q, text, colour, order: "~", by, name, at, edited: at, late: false, hidden: false };
  }

  /** One input for the core, and everything that follows from it. */
  take(input) {
    const { state, effects } = step(this.core, input);
    this.core = state;
    for (const effect of effects) EFFECTS[effect.do](this, effect);
  }
}
