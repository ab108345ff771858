// What `Clear-Site-Data` does over https, done by hand where browsers ignore it: nothing of this person stays on the device.

export async function forgetEverything({ indexedDB, localStorage, sessionStorage }) {
  for (const store of [localStorage, sessionStorage]) store?.clear();
  const databases = (await indexedDB?.databases?.()) ?? [];
  for (const { name } of databases) indexedDB.deleteDatabase(name);
}

if (typeof window !== "undefined") await forgetEverything(window);
