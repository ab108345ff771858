// What the console's person dialog shows.

/**
 * All the person dialog shows, with the table that is `chosen` in it; the name is empty for somebody who is neither at a
 * table nor in the lobby. The chair that is kept for a host is free for that host.
 */
export function personView(id, room, numbers, chosen = 0) {
  const at = room.find((table) => table.seats.some((seat) => seat.p === id));
  const own = room.find(({ host }) => host === id);
  const isFull = (table) => table.full && table !== at && !(table === own && table.taken < table.cap && table.open);
  const named = room.find(({ table }) => table === chosen);
  const seat = at?.seats.find((one) => one.p === id) ?? numbers?.lobby.find((one) => one.p === id);
  const emptiest = [...room].filter((table) => !isFull(table)).sort((a, b) => a.taken - b.taken || a.no - b.no)[0];
  return {
    name: seat?.name ?? own?.waits ?? "",
    at: at?.name ?? "",
    table: at?.table ?? null,
    emptiest: emptiest?.table ?? "",
    away: numbers?.away?.find((one) => one.p === id)?.since ?? null,
    hosts: own?.name ?? "",
    chosen: named && named !== own ? named.name : "",
    tables: room.map((table) => ({ ...table, full: isFull(table), label: `${table.name} · ${table.taken}/${table.cap}` })),
  };
}
