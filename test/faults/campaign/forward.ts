/** Forwards TCP: `forward.ts <host to listen on> <port> <host> <port>`. Says `ready`. Runs until it is ended. */
import { connect, createServer, type Socket } from "node:net"
import process from "node:process"

const [listen = "", port = "", toHost = "", toPort = ""] = process.argv.slice(2)
/** Resets are the point: nobody needs to hear of them. */
const quiet = (socket: Socket): Socket => socket.on("error", () => socket.destroy())

createServer((client) => {
  const upstream = quiet(connect(Number(toPort), toHost))
  quiet(client).pipe(upstream).pipe(client)
  client.on("close", () => upstream.destroy())
  upstream.on("close", () => client.destroy())
}).listen(Number(port), listen, () => process.stdout.write("ready\n"))
