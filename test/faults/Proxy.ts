/** TCP in front of a server, transparent until told to cut connections after a random number of bytes. */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"
import type { Random } from "../../fixtures/generator/Random.ts"

const HOST = "127.0.0.1"

export interface Cuts {
  readonly random: Random
  /** Connections to cut, at most. */
  readonly times: number
  /** A connection is cut after 0 to so many bytes, counted in both directions. */
  readonly withinBytes: number
}

export interface Proxy {
  readonly port: number
  /** From now on, also for connections that are open: each gets its own number of bytes. */
  readonly cut: (cuts: Cuts) => void
  /** Connections cut so far. */
  readonly done: () => number
  /** Nothing passes any more, and nobody is told: a cable that is pulled, a firewall that drops. */
  readonly drop: () => void
  /** Lets through again; connections from before are reset. */
  readonly restore: () => void
}

/** Resets are the point: nobody needs to hear of them. */
const quiet = (socket: Socket): Socket => socket.on("error", () => socket.destroy())

/** Forwards to `port` until the scope closes. */
export const start = (port: number): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pairs = new Set<readonly [Socket, Socket]>()
    /** Who came while nothing passes. */
    const held = new Set<Socket>()
    let cuts: Cuts | null = null
    let generation = 0
    let done = 0
    let dropped = false
    const server = createServer((client) => {
      if (dropped) {
        client.pause()
        held.add(quiet(client))
        client.on("close", () => held.delete(client))
        return
      }
      const upstream = connect(port, HOST)
      const pair = [quiet(client), quiet(upstream)] as const
      pairs.add(pair)
      let own = -1
      let left = Infinity
      /** Counts bytes that pass; true when the connection is to be cut in the middle of them. */
      const spends = (bytes: number): boolean => {
        if (cuts === null || done >= cuts.times) return false
        if (own !== generation) [own, left] = [generation, cuts.random.int(0, cuts.withinBytes)]
        left -= bytes
        return left <= 0
      }
      const forward = (from: Socket, to: Socket) =>
        from.on("data", (chunk: Uint8Array) => {
          if (spends(chunk.length)) {
            done++
            // The first part arrives: whoever reads it must cope with half a message.
            to.write(chunk.subarray(0, Math.max(0, chunk.length + left)), () => {
              client.resetAndDestroy()
              upstream.resetAndDestroy()
            })
            return
          }
          if (!to.write(chunk)) {
            from.pause()
            to.once("drain", () => void (dropped || from.resume()))
          }
        })
      forward(client, upstream)
      forward(upstream, client)
      client.on("end", () => upstream.end()).on("close", () => upstream.destroy())
      upstream.on("end", () => client.end()).on("close", () => {
        client.destroy()
        pairs.delete(pair)
      })
    })
    const own = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, HOST, () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of [...held, ...[...pairs].flat()]) socket.destroy()
        }),
    )
    return {
      port: own,
      cut: (next) => {
        cuts = { ...next, times: done + next.times }
        generation++
      },
      done: () => done,
      drop: () => {
        dropped = true
        for (const socket of [...pairs].flat()) socket.pause()
      },
      restore: () => {
        dropped = false
        for (const socket of [...held, ...[...pairs].flat()]) socket.destroy()
      },
    }
  })
