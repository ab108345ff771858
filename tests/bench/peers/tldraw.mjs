// tldraw sync: a room for each path, each with its SQLite storage. WAL=1 sets what its users would tune first.
import { createRequire } from 'node:module'
const { PACKAGES, PORT, FOLDER, WAL } = process.env
const load = createRequire(`${PACKAGES}/`)
const { NodeSqliteWrapper, SQLiteSyncStorage, TLSocketRoom } = load('@tldraw/sync-core')
const { WebSocketServer } = load('ws')
const database = new (load('better-sqlite3'))(`${FOLDER}/notes.sqlite`)
if (WAL) {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
}
const rooms = new Map()
const roomOf = (name) => {
  if (!rooms.has(name)) {
    const sql = new NodeSqliteWrapper(database, { tablePrefix: `${name}_` })
    const log = { warn: console.warn, error: console.error }
    rooms.set(name, new TLSocketRoom({ log, storage: new SQLiteSyncStorage({ sql }) }))
  }
  return rooms.get(name)
}
new WebSocketServer({ host: '127.0.0.1', port: Number(PORT), perMessageDeflate: false }).on('connection', (socket, request) => {
  const address = new URL(request.url, 'http://localhost')
  roomOf(address.pathname.slice(1)).handleSocketConnect({ sessionId: address.searchParams.get('session'), socket })
})
