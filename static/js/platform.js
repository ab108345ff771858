// What the live client needs from the browser; tests give it another one.

export const browser = {
  get WebSocket() {
    return globalThis.WebSocket;
  },
  fetch: (...request) => globalThis.fetch(...request),
  now: () => Date.now(),
  random: () => Math.random(),
  hidden: () => document.hidden,
  offline: () => navigator.onLine === false,
  setTimeout: (act, ms) => setTimeout(act, ms),
  setInterval: (act, ms) => setInterval(act, ms),
  token: () => field("[name=csrfmiddlewaretoken]")?.value ?? field('meta[name="csrf-token"]')?.content ?? cookie(),
};

function field(selector) {
  return document.querySelector(selector);
}

function cookie() {
  return document.cookie.match(/(?:^|; )(?:__Host-|__Secure-)?csrftoken=([^;]*)/)?.[1] ?? "";
}

/** What this tab remembers through reloads; a browser that keeps nothing recalls nothing. */
export function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    return;
  }
}

/** Wakes the line when the device does, and holds a page back that has words only in its memory. */
export function listenToDevice({ connection, page }) {
  addEventListener("online", () => connection.wake());
  addEventListener("offline", () => connection.doubt());
  addEventListener("pageshow", (event) => event.persisted && page.returned());
  // Another tab has sent or discarded something.
  addEventListener("storage", (event) => event.newValue ?? page.returned());
  document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
  addEventListener("beforeunload", (event) => page.holdsBack() && event.preventDefault());
}
