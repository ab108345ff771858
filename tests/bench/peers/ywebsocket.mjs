// The server that comes with y-websocket, in memory.
import { pathToFileURL } from 'node:url'
process.env.HOST = '127.0.0.1'
await import(pathToFileURL(`${process.env.PACKAGES}/node_modules/@y/websocket-server/src/server.js`))
