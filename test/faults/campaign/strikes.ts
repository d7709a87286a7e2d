/** What happens to a cluster, at random moments, while it works. */
import { Effect, type Scope } from "effect"
import type { Random } from "../../../fixtures/generator/Random.ts"
import type { Program } from "../../../src/cli/lab/Program.ts"
import type { Installation } from "../Installation.ts"
import type { Way } from "./Way.ts"

export interface Runner {
  program: Program
  /** Its own way to the broker. */
  readonly broker: Way
}

export interface Cluster {
  readonly at: Installation
  readonly random: Random
  /** How long the locks of a runner last that does not renew them. */
  readonly leaseMillis: number
  readonly runners: ReadonlyArray<Runner>
  /** Starts a runner again at its place, and waits until it serves. */
  readonly replace: (runner: Runner) => Effect.Effect<void, never, Scope.Scope>
  /** Waits until every entity works on one of these runners. Measured from here on. */
  readonly working: (what: string, runners: ReadonlyArray<Runner>) => Effect.Effect<void>
}

export interface Strike {
  /** For the table. */
  readonly name: string
  readonly what: string
  readonly run: (cluster: Cluster) => Effect.Effect<void, never, Scope.Scope>
}

/** How long a runner is cut off: noticed by some parts, not by others. */
const CUT_OFF_MILLIS = [3_000, 15_000] as const
const CUTS = 12
const CUT_BYTES = 20_000
const CUT_WITHIN = "15 seconds"
const POLL = "50 millis"

const anyOf = ({ random, runners }: Cluster): Runner => runners[random.int(0, runners.length - 1)]!

const others = ({ runners }: Cluster, one: Runner) => runners.filter((runner) => runner !== one)

const rolling: Strike = {
  name: "rolling-restart",
  what: "SIGTERM and a new process, one runner after the other",
  run: Effect.fnUntraced(function* (cluster) {
    for (const runner of cluster.runners) {
      yield* runner.program.signal("SIGTERM")
      yield* cluster.working("rolling-restart", others(cluster, runner))
      const { code } = yield* runner.program.ended
      if (code !== 0) return yield* Effect.die(new Error(`a runner ended with ${code} after SIGTERM`))
      yield* cluster.replace(runner)
    }
  }),
}

const kill: Strike = {
  name: "kill",
  what: "`kill -9` of a runner; a new one at its place",
  run: Effect.fnUntraced(function* (cluster) {
    const runner = anyOf(cluster)
    yield* runner.program.signal("SIGKILL")
    yield* cluster.working("kill", others(cluster, runner))
    yield* cluster.replace(runner)
  }),
}

const freeze: Strike = {
  name: "freeze",
  what: "a runner frozen past its lease (SIGSTOP), then thawed beside those that took over",
  run: Effect.fnUntraced(function* (cluster) {
    const runner = anyOf(cluster)
    yield* runner.program.signal("SIGSTOP")
    yield* Effect.sleep(cluster.random.int(cluster.leaseMillis * 1.1, cluster.leaseMillis * 2)).pipe(
      Effect.zip(cluster.working("freeze", others(cluster, runner)), { concurrent: true }),
    )
    yield* runner.program.signal("SIGCONT")
    yield* cluster.working("thaw", cluster.runners)
  }),
}

const database: Strike = {
  name: "cut-postgres",
  what: `connections of all runners to PostgreSQL cut in the middle of messages, ${CUTS} times`,
  run: Effect.fnUntraced(function* (cluster) {
    const { at, random } = cluster
    const before = at.proxies.database.done()
    at.proxies.database.cut({ random, times: CUTS, withinBytes: CUT_BYTES })
    yield* Effect.repeat(Effect.sleep(POLL), { until: () => at.proxies.database.done() >= before + CUTS }).pipe(
      Effect.timeoutOption(CUT_WITHIN),
    )
    yield* cluster.working("cut-postgres", cluster.runners)
  }),
}

const network: Strike = {
  name: "drop-broker",
  what: "nothing passes between one runner and the broker for a while, and nobody is told",
  run: Effect.fnUntraced(function* (cluster) {
    const runner = anyOf(cluster)
    runner.broker.drop()
    yield* Effect.sleep(cluster.random.int(...CUT_OFF_MILLIS))
    runner.broker.restore()
    yield* cluster.working("drop-broker", cluster.runners)
  }),
}

export const strikes: ReadonlyArray<Strike> = [rolling, kill, freeze, database, network]
