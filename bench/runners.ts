/**
 * What more runners bring. Each runner process is confined to a part of a core by freezing it for the rest of every tenth
 * of a second, as if it had a small machine of its own; so two cores are enough for three of them and the servers. Odoo
 * takes its time, has workers enough and is never the limit: what limits is the runner.
 *
 *   deno run -A bench/runners.ts [--quick] [--part 0.15] [--entities 24] [--seconds 30]
 *
 * Runners of one Odoo divide its share, whatever their number: they never bring more calls to an Odoo that is the limit.
 */
import { Clock, Effect, Schedule } from "effect"
import process from "node:process"
import { parseArgs } from "node:util"
import * as Program from "../src/cli/lab/Program.ts"
import * as Input from "../test/faults/Input.ts"
import * as Installation from "../test/faults/Installation.ts"
import { load } from "./processes.ts"
import { placed, skewOf } from "./ring.ts"

const PERIOD_MILLIS = 100
/** Calls at once that Odoo takes. */
const WORKERS = 60
const LATENCY = 0.05
const POLL = "100 millis"
/** Numbers of shards that are tried. */
const FEWEST = 300
const TRIED = 100
/** Part of the events that are settled before the clock runs, and the part at which it stops at the latest. */
const WARM = 0.03
const DRY = 0.6

/** Lets a process run for `part` of the time only. Ends with the scope, with the process running. */
const confine = ({ pid }: Program.Program, part: number) =>
  Effect.gen(function* () {
    const signal = (name: NodeJS.Signals) => Effect.sync(() => void process.kill(pid, name))
    yield* Effect.addFinalizer(() => signal("SIGCONT").pipe(Effect.ignoreCause))
    yield* Effect.gen(function* () {
      yield* signal("SIGSTOP")
      yield* Effect.sleep(PERIOD_MILLIS * (1 - part))
      yield* signal("SIGCONT")
      yield* Effect.sleep(PERIOD_MILLIS * part)
    }).pipe(Effect.repeat(Schedule.forever), Effect.forkScoped)
  })

interface Round {
  readonly runners: number
  readonly rate: number
  /** Entities by runner. */
  readonly owned: ReadonlyArray<number>
}

const round = Effect.fnUntraced(function* (
  runners: number,
  options: { readonly part: number; readonly entities: number; readonly seconds: number; readonly consultants: number },
) {
  const { consultants, entities, part, seconds } = options
  const scenario = yield* Input.make({ seed: 1, consultants, days: 21, entities })
  const { events } = scenario.expected
  const codes = Object.keys(scenario.expected.entities)
  // What is measured is runners, not the luck of a hash: the number of shards that spreads the entities most evenly.
  let fair: ReadonlyArray<number> = []
  const shards = (ports: ReadonlyArray<number>): number => {
    const places = ports.slice(0, runners).map((port) => ({ host: "127.0.0.1", port }))
    const skew = (count: number) => skewOf(placed(places, codes, count), runners)
    const best = Array.from({ length: TRIED }, (_, n) => FEWEST + n).reduce((best, count) =>
      skew(count) < skew(best) ? count : best
    )
    fair = [...placed(places, codes, best).values()].map(({ length }) => length).sort()
    return best
  }
  const at = yield* Installation.make({ scenario, latency: LATENCY, workers: WORKERS, profile: "production", shards })
  const programs = yield* Effect.forEach(Array.from({ length: runners }, (_, n) => n), at.runner)
  for (const program of programs) yield* program.said(/status on/u)
  const ownedBy = (owners: ReadonlyMap<string, number>) =>
    programs.map(({ pid }) => [...owners.values()].filter((owner) => owner === pid).length)
  const owners = yield* at.owners.pipe(
    Effect.delay(POLL),
    Effect.repeat({ until: (found) => String(ownedBy(found).sort()) === String(fair) }),
  )
  // All are placed; from here on each has its own small machine.
  yield* Effect.sleep("5 seconds")
  yield* Effect.forEach(programs, (program) => confine(program, part), { discard: true })
  yield* at.publish
  yield* at.until(Math.ceil(events * WARM), programs[0]!, POLL)
  const [from, began] = [yield* at.settled, yield* Clock.currentTimeMillis]
  let [to, now] = [from, began]
  while (now - began < seconds * 1_000 && to < events * DRY) {
    yield* Effect.sleep(POLL)
    to = yield* at.settled
    now = yield* Clock.currentTimeMillis
  }
  const owned = ownedBy(owners)
  const result: Round = { runners, rate: (to - from) / (now - began) * 1_000, owned }
  return result
}, Effect.scoped)

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    part: { type: "string", default: "0.15" },
    entities: { type: "string" },
    seconds: { type: "string" },
    consultants: { type: "string" },
    runners: { type: "string", default: "1,2,3" },
  },
})
const entities = Number(values.entities ?? (values.quick ? 12 : 24))
const options = {
  part: Number(values.part),
  entities,
  seconds: Number(values.seconds ?? (values.quick ? 8 : 30)),
  consultants: Number(values.consultants ?? entities * (values.quick ? 5 : 20)),
}

console.log(`each runner has ${options.part} of a core; ${entities} entities; load ${load()}`)
console.log("runners  entities each  events/s  times one")
const results: Array<Round> = []
let one = 0
for (const runners of values.runners.split(",").map(Number)) {
  const result = await Effect.runPromise(round(runners, options))
  const { owned, rate } = result
  results.push(result)
  if (one === 0) one = rate / runners
  const columns = [String(runners).padStart(7), owned.join("/").padStart(13), rate.toFixed(1).padStart(8)]
  console.log(`${columns.join("  ")}  ${(rate / one).toFixed(2).padStart(9)}`)
}
console.log(JSON.stringify({ ...options, load: load(), results }))
