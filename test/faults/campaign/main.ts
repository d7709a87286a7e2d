/**
 * A cluster of real runner processes under a month that does not end, struck at random moments.
 *
 *   deno task campaign [--minutes 30] [--entities 40] [--runners 3] [--consultants 400] [--seed 7] [--only kill,freeze]
 *     [--profile production] [--out docs/cluster.md]
 *
 * In the end nothing may be lost, nothing in Odoo twice, nothing out of order. Prints, and with `--out` writes, how often
 * each thing happened and how long it took until every entity worked again. Ends with 1 when anything differs.
 */
import "../../../src/cli/plainFibers.ts"

import { Clock, DateTime, Effect, Fiber } from "effect"
import { writeFile } from "node:fs/promises"
import process from "node:process"
import { parseArgs } from "node:util"
import { Random } from "../../../fixtures/generator/Random.ts"
import { publications, type Scenario } from "../../../fixtures/scenario.ts"
import * as JetStreamBroker from "../../../src/broker/JetStreamBroker.ts"
import * as Program from "../../../src/cli/lab/Program.ts"
import * as Input from "../Input.ts"
import * as Installation from "../Installation.ts"
import { seedOf } from "../seed.ts"
import { type Cluster, type Runner, strikes } from "./strikes.ts"
import * as Way from "./Way.ts"

const LATENCY = 0.05
const DAYS = 21
/** Enough that a campaign of a minute has a few events a second for each entity. */
const CONSULTANTS_PER_MINUTE = 14
const PUBLISH_EVERY_MILLIS = 250
const LOOK_MILLIS = 50
/** After it an entity that does not work is taken for lost. */
const LONGEST_MILLIS = 120_000
/** `shardLockExpiration` of the profiles. */
const LEASE_MILLIS = { production: 15_000, test: 5_000 }
type Profile = keyof typeof LEASE_MILLIS
const BETWEEN_MILLIS = [500, 8_000] as const

const millis = Clock.currentTimeMillis

/** Publishes all of it, evenly over the time. */
const surge = Effect.fnUntraced(function* (url: string, scenario: Scenario, lastsMillis: number) {
  const broker = yield* JetStreamBroker.make({ servers: url, connectionName: "weir-campaign" })
  yield* broker.provision
  const all = yield* Effect.promise(() => Array.fromAsync(publications(scenario)))
  const began = yield* millis
  for (let sent = 0; sent < all.length;) {
    const due = Math.ceil(all.length * Math.min(1, ((yield* millis) - began) / lastsMillis))
    if (due > sent) yield* broker.publish(all.slice(sent, due))
    sent = due
    yield* Effect.sleep(PUBLISH_EVERY_MILLIS)
  }
})

/** Whether a runner says that every entity has an actor that works, wherever it is. */
const allActive = (runner: Runner): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    const at = runner.program.lines.map(({ message }) => /status on (http:\/\/[^/]+)/u.exec(message)?.[1]).find(Boolean)
    if (at === undefined) return false
    try {
      const response = await fetch(`${at}/readyz`, { signal: AbortSignal.timeout(3_000) })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  })

const campaign = Effect.fnUntraced(function* (options: {
  readonly minutes: number
  readonly entities: number
  readonly runners: number
  readonly consultants: number
  readonly seed: number
  readonly only: ReadonlyArray<string>
  readonly profile: Profile
}) {
  const { entities, minutes, seed } = options
  const random = new Random(seed, "campaign")
  const scenario = yield* Input.make({ seed, consultants: options.consultants, days: DAYS, entities })
  const { events } = scenario.expected
  const at = yield* Installation.make({
    scenario,
    latency: LATENCY,
    durable: true,
    odooTimeout: "20 seconds",
    profile: options.profile,
  })
  console.log(`seed ${seed}: ${entities} entities, ${events} events in ${minutes} minutes, ${options.runners} runners`)
  const runners: Array<Runner> = []
  for (let number = 0; number < options.runners; number++) {
    const broker = yield* Way.make(number, at.servers.broker.port, at.servers.broker.url)
    runners.push({ broker, program: yield* at.runnerBehind(number, broker.url) })
  }
  for (const { program } of runners) yield* program.said(/status on/u)

  const took = new Map<string, Array<number>>()
  const working: Cluster["working"] = Effect.fnUntraced(function* (what, among) {
    const began = yield* millis
    const pids = new Set(among.map(({ program }) => program.pid))
    while (true) {
      const owners = yield* at.owners
      const settled = owners.size === entities && [...owners.values()].every((pid) => pids.has(pid))
      const now = yield* millis
      if (settled && (yield* allActive(among[0]!))) break
      if (now - began > LONGEST_MILLIS) {
        const lines = among.map(({ program }) => Program.tail(program.lines, 10)).join("\n")
        return yield* Effect.die(new Error(`${what}: entities do not work again\n${lines}`))
      }
      yield* Effect.sleep(LOOK_MILLIS)
    }
    const lasted = (yield* millis) - began
    took.set(what, [...took.get(what) ?? [], lasted])
    console.log(`  ${what}: all work again after ${(lasted / 1_000).toFixed(1)} s; ${yield* at.settled} events settled`)
  })
  const cluster: Cluster = {
    at,
    random,
    leaseMillis: LEASE_MILLIS[options.profile],
    runners,
    working,
    replace: Effect.fnUntraced(function* (runner) {
      runner.program = yield* at.runnerBehind(runners.indexOf(runner), runner.broker.url)
      yield* runner.program.said(/status on/u)
    }),
  }
  yield* working("start", runners)
  const began = yield* millis
  const lasts = minutes * 60_000
  const publishing = yield* Effect.forkChild(Effect.orDie(surge(at.servers.broker.url(), scenario, lasts)))
  const chosen = strikes.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const counts = new Map(chosen.map(({ name }) => [name, 0]))
  // Each of them in turn, in an order of its own in each round: a short campaign has all of them, too.
  for (let round: Array<(typeof chosen)[number]> = []; (yield* millis) - began < lasts;) {
    if (round.length === 0) round = [...chosen]
    const [strike] = round.splice(random.int(0, round.length - 1), 1)
    if (strike === undefined) break
    yield* Effect.sleep(random.int(...BETWEEN_MILLIS))
    yield* strike.run(cluster)
    counts.set(strike.name, counts.get(strike.name)! + 1)
  }
  yield* Fiber.join(publishing)
  yield* at.until(events, runners[0]!.program, "500 millis")
  const wrong = [...yield* at.wrong, ...yield* at.untold]
  for (const { program } of runners) yield* program.signal("SIGTERM")
  for (const { program } of runners) {
    const { code } = yield* program.ended
    if (code !== 0) wrong.push(`a runner ended with ${code}`)
  }
  return { events, counts, took, wrong, way: runners[0]!.broker.kind, minutes: ((yield* millis) - began) / 60_000 }
})

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
const seconds = (value: number): string => (value / 1_000).toFixed(1)

const table = (took: ReadonlyMap<string, ReadonlyArray<number>>): ReadonlyArray<string> => [
  "| what happened | times measured | until every entity works again: median, s | worst, s |",
  "| ------------- | -------------: | ----------------------------------------: | -------: |",
  ...[...took].sort(([a], [b]) => a < b ? -1 : 1).map(([what, values]) =>
    `| ${what} | ${values.length} | ${seconds(median(values))} | ${seconds(Math.max(...values))} |`
  ),
]

const main = Effect.gen(function* () {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "30" },
      entities: { type: "string", default: "40" },
      runners: { type: "string", default: "3" },
      consultants: { type: "string" },
      seed: { type: "string" },
      only: { type: "string", default: "" },
      profile: { type: "string", default: "production" },
      out: { type: "string" },
    },
  })
  const minutes = Number(values.minutes)
  const entities = Number(values.entities)
  const seed = values.seed === undefined ? seedOf("campaign") : Number(values.seed)
  const result = yield* Effect.scoped(campaign({
    minutes,
    entities,
    runners: Number(values.runners),
    consultants: Number(values.consultants ?? Math.max(entities, Math.ceil(minutes * CONSULTANTS_PER_MINUTE))),
    seed,
    only: values.only.split(",").filter((name) => name !== ""),
    profile: values.profile === "test" ? "test" : "production",
  }))
  const day = DateTime.formatIsoDate(yield* DateTime.now)
  const text = [
    "# A cluster, struck",
    "",
    "What happened when runners of a cluster were killed, frozen and cut off while a month passed through: measured, not",
    `promised. Written by \`deno task campaign --minutes ${minutes} --entities ${entities} --seed ${seed}\` on ${day}:`,
    `${values.runners} runner processes on a real nats-server, a real PostgreSQL and the stand-in Odoo, ${result.events} events in`,
    `${result.minutes.toFixed(1)} minutes, profile \`${values.profile}\`.`,
    "",
    ...strikes.map(({ name, what }) => `- \`${name}\`, ${result.counts.get(name) ?? 0} times: ${what}`),
    "",
    result.way === "namespace"
      ? "Each runner's way to the broker leads through a network namespace of its own; dropped, its link is unplugged."
      : "Each runner's way to the broker is a proxy; dropped, it swallows what comes.",
    "",
    ...table(result.took),
    "",
    result.wrong.length === 0
      ? "Lost: 0. Twice in Odoo: 0. Out of order per key: 0. Untold: 0."
      : `**Wrong:**\n\n${result.wrong.map((line) => `- ${line}`).join("\n")}`,
    "",
  ].join("\n")
  console.log(text)
  if (values.out !== undefined) yield* Effect.promise(() => writeFile(values.out!, text))
  return result.wrong.length === 0 ? 0 : 1
})

process.exitCode = await Effect.runPromise(main)
