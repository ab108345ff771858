// The gallery walk: boards renew themselves when their head rises, visited tables are ticked.

import { start } from "./live.js";
import { share } from "./takehome.js";

const AGAIN_MS = [300, 1_500];
const MOST_DOUBLINGS = 6;
const WALK = ["gallery", "closed", "archived"];
const LOOKED_AT = [{ threshold: 0.5 }, { rootMargin: "-50% 0px" }]; // half of it is there, or it is where one looks, however long

/** Where the exhibit of `part` as of its head is found; after a restore heads come again, with another epoch. */
export function addressOf(base, part, epoch) {
  return `${base}?at=${part.head}&of=${epoch.slice(0, 8)}`;
}

function gallery(main) {
  const live = start(main);
  const seen = `zc-seen-${main.dataset.event}`;
  const watchers = LOOKED_AT.map((how) => new IntersectionObserver(looked, how));
  const named = new Map(live.parts("gallery").map(({ id, name }) => [id, name]));
  const underWay = new Set();
  let [again, anew, retry, failed] = [0, 0, 0, 0];

  live.on("part", ({ s, part }) => {
    if (s !== "gallery" || !part.id.startsWith("exhibit:")) return;
    if (!part.gone && named.get(part.id) !== part.name) readAnew(); // ways and choices are called so too
    renew(part);
  });
  live.on("phase", ({ phase }) => {
    for (const place of document.querySelectorAll("#take, [data-to-take]")) place.hidden = phase !== "gallery" && live.me.role !== "moderator";
    if (WALK.includes(phase) && !live.core.streams.gallery) readAnew(); // it ended when the event went back to its tables
  });
  live.on("epoch", () => {
    for (const shown of document.querySelectorAll("[data-head]")) shown.dataset.head = -1;
    document.getElementById("results").dataset.heads = -1;
  });
  document.body.addEventListener("htmx:afterSettle", () => (refresh(), renewAll()));
  document.getElementById("print").hidden = false;
  document.getElementById("print").addEventListener("click", () => window.print());
  share(live);
  refresh();
  renewAll();

  /** What has risen since it was asked for, or could not be had. */
  function renewAll() {
    for (const part of live.parts("gallery")) if (part.id.startsWith("exhibit:")) renew(part);
  }

  /** A plain board is fetched alone, under an address that never changes; a search or a wall is asked for again. */
  function renew(part) {
    const board = document.getElementById(`exhibit-${part.board}`);
    const results = document.getElementById("results");
    if ("whole" in results.dataset) {
      if (board && Number(board.dataset.head) < part.head) swap(board, addressOf(board.dataset.address, part, live.epoch));
    } else if (Number(results.dataset.heads) < sum(live.parts("gallery"))) {
      window.clearTimeout(again);
      again = window.setTimeout(() => swap(results, `${window.location.pathname}${results.dataset.address}`), delay());
    }
  }

  /** Never away from text that is half typed or not sent, nor to the browser's error page. */
  function readAnew() {
    window.clearTimeout(anew);
    anew = window.setTimeout(() => (Object.values(live.turns.open()).some(Boolean) ? readAnew() : window.location.reload()), delay());
  }

  /** Each asks for itself: of what asks in the name of the whole page htmx keeps only the last. */
  async function swap(target, address) {
    if (!window.htmx || underWay.has(target)) return;
    underWay.add(target);
    await window.htmx.ajax("GET", address, { source: target, target, swap: "outerHTML" }).catch(() => {}); // then it is still there
    underWay.delete(target);
    if (target.isConnected) tryAgain();
    else failed = 0;
  }

  /** Once for all that failed, or each would ask for the others too; after twice as long each time. */
  function tryAgain() {
    retry ||= window.setTimeout(() => ((retry = 0), renewAll()), delay() * 2 ** Math.min(failed++, MOST_DOUBLINGS));
  }

  function refresh() {
    for (const watcher of watchers) watcher.disconnect();
    const results = document.getElementById("results");
    if ("whole" in results.dataset) results.dataset.heads = sum(live.parts("gallery"));
    const found = document.getElementById("found");
    const n = results.querySelectorAll(".note").length;
    if (found) live.fill(found, { n });
    for (const nothing of results.querySelectorAll("[data-nothing]")) nothing.hidden = n > 0;
    for (const board of document.querySelectorAll(".exhibit")) for (const watcher of watchers) watcher.observe(board);
    const current = document.querySelector(".route [aria-current]");
    if (current) visit(current.dataset.stop);
    tick();
  }

  function looked(entries) {
    for (const entry of entries) if (entry.isIntersecting) visit(entry.target.dataset.tableNo);
    tick();
  }

  function visit(number) {
    try {
      const all = new Set([...visited(), number]);
      window.localStorage.setItem(seen, JSON.stringify([...all]));
    } catch {
      // a browser that keeps nothing ticks nothing
    }
  }

  function visited() {
    try {
      return JSON.parse(window.localStorage.getItem(seen)) ?? [];
    } catch {
      return [];
    }
  }

  function tick() {
    const all = new Set(visited());
    const stops = [...document.querySelectorAll("[data-stop]")];
    for (const stop of stops) {
      stop.classList.toggle("seen", all.has(stop.dataset.stop));
      stop.querySelector("[data-visited]").hidden = !all.has(stop.dataset.stop);
    }
    const count = document.querySelector("[data-visited-count]");
    if (!count) return;
    live.fill(count, { n: stops.filter((stop) => all.has(stop.dataset.stop)).length });
    count.hidden = false;
  }
}

/** Heads only rise, so their sum tells whether anything is newer than what is shown. */
export function sum(parts) {
  return parts.reduce((total, part) => total + (part.head ?? 0), 0);
}

function delay() {
  return AGAIN_MS[0] + Math.random() * (AGAIN_MS[1] - AGAIN_MS[0]);
}

if (typeof document !== "undefined") gallery(document.getElementById("main"));
