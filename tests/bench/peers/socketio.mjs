// A socket.io room: who is in it gets every note. Nothing is stored.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
const { Server } = createRequire(`${process.env.PACKAGES}/`)('socket.io')
const http = createServer()
const io = new Server(http, { transports: ['websocket'] })
io.on('connection', (socket) => {
  let room = ''
  socket.on('join', (name) => {
    room = name
    socket.join(room)
    socket.emit('joined')
  })
  socket.on('note', (note) => io.to(room).emit('note', note))
})
http.listen(Number(process.env.PORT), '127.0.0.1')
