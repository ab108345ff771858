// Hocuspocus with its SQLite extension and its defaults: it stores a document 2 s after its last change, 10 s at most.
import { createRequire } from 'node:module'
const { PACKAGES, PORT, FOLDER } = process.env
const load = createRequire(`${PACKAGES}/`)
const { Server } = load('@hocuspocus/server')
const { SQLite } = load('@hocuspocus/extension-sqlite')
const extensions = [new SQLite({ database: `${FOLDER}/notes.sqlite` })]
new Server({ address: '127.0.0.1', port: Number(PORT), quiet: true, stopOnSignals: false, extensions }).listen()
