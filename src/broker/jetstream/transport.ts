/**
 * The client's TCP transport with one hole closed. When a connection ends, nats.js 3.4 (`node_transport.js`, `discard`,
 * `_closed`) takes all listeners off the socket and destroys it. A reset that arrived just before is announced right
 * after, finds no listener and ends the whole process as an uncaught exception. Servers do reset: on wrong credentials,
 * and when they are killed.
 */
import { NatsConnectionImpl, setTransportFactory } from "@nats-io/nats-core/internal"
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node"
import { nodeResolveHost, NodeTransport } from "@nats-io/transport-node/lib/node_transport.js"
import type { Socket } from "node:net"

/** Whoever takes the listeners off is done with the socket: what happens to it then concerns nobody. */
const guarded = <S extends Socket>(socket: S): S => {
  const ignore = () => {}
  const removeAllListeners = socket.removeAllListeners.bind(socket)
  // Rest parameters: without argument it means every event, with `undefined` none.
  socket.removeAllListeners = (...event: Parameters<Socket["removeAllListeners"]>) => {
    removeAllListeners(...event)
    return socket.on("error", ignore)
  }
  return socket.on("error", ignore)
}

class GuardedTransport extends NodeTransport {
  override async dial(...where: Parameters<NodeTransport["dial"]>) {
    return guarded(await super.dial(...where))
  }
  override async tlsFirst(...where: Parameters<NodeTransport["tlsFirst"]>) {
    return guarded(await super.tlsFirst(...where))
  }
  override async startTLS() {
    return guarded(await super.startTLS())
  }
}

/** As `connect` of `@nats-io/transport-node`. */
export const connect = (options: NodeConnectionOptions): Promise<NatsConnection> => {
  setTransportFactory({ factory: () => new GuardedTransport(), dnsResolveFn: nodeResolveHost })
  return NatsConnectionImpl.connect(options)
}
