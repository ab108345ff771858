// IndexedDB with promises, and with patience: some browsers leave a request open for ever.

const NAME = "zoomcafe";
const PATIENCE_MS = 2_000;

/** `ops` holds operations without an answer, `kept` a person's own accepted ones. */
export const STORES = ["ops", "kept"];

export function openBase() {
  const opening = indexedDB.open(NAME, 2);
  opening.onupgradeneeded = () => {
    const { result: base } = opening;
    for (const name of STORES) if (!base.objectStoreNames.contains(name)) base.createObjectStore(name, { keyPath: "id" });
  };
  return inTime(request(opening)).then((base) => {
    base.onversionchange = () => base.close(); // another tab forgets everything, or is newer than this one
    return base;
  });
}

export function readAll(base, name) {
  return inTime(request(base.transaction(name).objectStore(name).getAll()));
}

/** `act` gets the stores by name; `asks` if it reads before it writes. "strict" resolves when a power cut takes nothing away. */
export function write(base, act, { durability = "relaxed", asks = false } = {}) {
  const transaction = base.transaction(STORES, "readwrite", { durability });
  act(Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)])));
  if (!asks) transaction.commit?.(); // now, instead of asking back whether there is more to come
  return inTime(finished(transaction));
}

/** Forgets what this browser keeps of an event: on leaving it, and when it is gone. `prefix` is "<event key>/". */
export async function forget(prefix) {
  try {
    const base = await openBase();
    const all = [...(await readAll(base, "ops")), ...(await readAll(base, "kept"))];
    const those = all.filter(({ owner }) => owner.startsWith(prefix));
    await write(base, ({ ops, kept }) => those.forEach(({ id }) => (ops.delete(id), kept.delete(id))));
    base.close();
  } catch {
    return;
  }
}

function request(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

function inTime(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("IndexedDB does not answer")), PATIENCE_MS));
  return Promise.race([promise, late]);
}
