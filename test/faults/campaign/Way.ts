/**
 * A runner's own way to the broker, which can be cut without anybody being told. For root on Linux it leads through a
 * network namespace, and cutting it unplugs a link: packets vanish, as they do in a real network.
 *
 *     runner ─► [ 10.203.n.2 forwards ] ─► 10.203.n.1 forwards ─► broker
 *                └ namespace ┘   one link, twice passed
 *
 * For anybody else, or without `ip`, it is a proxy that swallows what comes.
 */
import { Effect, type Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as Proxy from "../Proxy.ts"

export interface Way {
  readonly kind: "namespace" | "proxy"
  /** Where the runner finds its broker. */
  readonly url: string
  readonly drop: () => void
  readonly restore: () => void
}

const PORT = 4222
const forwarder = fileURLToPath(new URL("./forward.ts", import.meta.url))
const ip = (...args: ReadonlyArray<string>): void => {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] })
}

/** Whether namespaces can be made here. */
const isPossible = (): boolean => {
  if (process.getuid?.() !== 0) return false
  const name = `weir-try-${process.pid}`
  try {
    ip("netns", "add", name)
    ip("netns", "delete", name)
    return true
  } catch {
    return false
  }
}

/** Until the scope closes. */
const forwarding = (command: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<() => void>((resolve, reject) => {
        const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
        child.once("error", reject)
        child.once("exit", (code) => reject(new Error(`${command} ended with ${code}`)))
        child.stdout.once("data", () => resolve(() => child.kill("SIGKILL")))
      })
    ),
    (end) => Effect.sync(end),
  )

const throughNamespace = Effect.fnUntraced(function* (number: number, port: number) {
  const name = `weir-${process.pid}-${number}`
  const [outside, inside] = [`wo${process.pid % 100_000}n${number}`, `wi${process.pid % 100_000}n${number}`]
  const [here, there] = [`10.203.${number + 1}.1`, `10.203.${number + 1}.2`]
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      ip("netns", "add", name)
      ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
      ip("address", "add", `${here}/30`, "dev", outside)
      ip("-n", name, "address", "add", `${there}/30`, "dev", inside)
      ip("link", "set", outside, "up")
      ip("-n", name, "link", "set", inside, "up")
    }),
    // The link goes with its end.
    () => Effect.sync(() => ip("netns", "delete", name)),
  )
  const deno = process.execPath
  yield* forwarding(deno, ["run", "-A", forwarder, here, String(PORT), "127.0.0.1", String(port)])
  const own = [deno, "run", "-A", forwarder, there, String(PORT), here, String(PORT)]
  yield* forwarding("ip", ["netns", "exec", name, ...own])
  const way: Way = {
    kind: "namespace",
    url: `nats://${there}:${PORT}`,
    drop: () => ip("-n", name, "link", "set", inside, "down"),
    restore: () => ip("-n", name, "link", "set", inside, "up"),
  }
  return way
})

/** `port`: the broker's; `number`: the runner's. */
export const make = (
  number: number,
  port: number,
  urlOf: (port: number) => string,
): Effect.Effect<Way, never, Scope.Scope> =>
  isPossible() ? throughNamespace(number, port) : Effect.map(
    Proxy.start(port),
    ({ drop, port, restore }): Way => ({ kind: "proxy", url: urlOf(port), drop, restore }),
  )
