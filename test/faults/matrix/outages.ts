/** Processes that die, stop or freeze, and connections that break. */
import { Effect } from "effect"
import type { Fault, Strike } from "./Fault.ts"

/** Parts of all events that are settled when it happens: begun, in full swing, nearly done. */
const MOMENTS = [0.1, 0.45, 0.75]
const CRASHES = [0.2, 0.6]
const ONE = [0.2]
const JITTER_MILLIS = 300
/** Connections cut, and within how many bytes: one batch of deliveries, some settlements, one call of Odoo. */
const CUTS = 25
const FEW_CUTS = 5
const CUT_BYTES: Readonly<Record<Name, number>> = { broker: 15_000, database: 30_000, odoo: 3_000 }
const POLL = "50 millis"
/** Looks until connections that are not cut are given up: half a minute on a machine at rest. */
const LOOKS = 600

type Name = "broker" | "database" | "odoo"
const names: ReadonlyArray<Name> = ["broker", "database", "odoo"]
const titles: Readonly<Record<Name, string>> = { broker: "nats-server", database: "PostgreSQL", odoo: "Odoo" }

const jitter = ({ random }: Strike) => Effect.sleep(random.int(0, JITTER_MILLIS))

const kill: Fault = {
  name: "kill-weir",
  what: "`kill -9` of weir, three times at random moments; started again at once",
  strike: Effect.fnUntraced(function* (strike) {
    const moments = strike.brief ? ONE : MOMENTS
    for (const moment of moments) {
      yield* strike.progress(moment)
      yield* jitter(strike)
      yield* strike.weir.signal("SIGKILL")
      yield* strike.weir.ended
      strike.weir = yield* strike.at.weir
    }
    return moments.length
  }),
}

const freezeWeir: Fault = {
  name: "freeze-weir",
  what: "weir frozen (SIGSTOP) while a second weir takes its entities over; then thawed beside it",
  strike: Effect.fnUntraced(function* (strike) {
    yield* strike.progress(0.3)
    yield* jitter(strike)
    const frozen = strike.weir
    yield* frozen.signal("SIGSTOP")
    strike.weir = yield* strike.at.weir
    yield* strike.progress(0.5)
    yield* frozen.signal("SIGCONT")
    yield* strike.progress(0.7)
    yield* frozen.signal("SIGKILL")
    yield* frozen.ended
    return 1
  }),
}

const twoWeirs: Fault = {
  name: "two-weirs",
  what: "two weirs run on the same ledger by mistake and take the entities from each other",
  prepare: Effect.fnUntraced(function* (strike) {
    strike.second = yield* strike.at.weir
    yield* strike.second.said(/status on/u)
  }),
  strike: Effect.fnUntraced(function* (strike) {
    const { second } = strike
    if (second === null) return 0
    // They hold each other up: in short it is enough that they did so for a while.
    yield* strike.brief ? Effect.timeoutOption(strike.progress(0.3), strike.away) : strike.progress(0.75)
    yield* second.signal("SIGTERM")
    yield* second.ended
    strike.second = null
    return 1
  }),
}

const restart = (name: Name): Fault => ({
  name: `restart-${name}`,
  what: `${titles[name]} stopped, away for a while, started again on the same data`,
  strike: Effect.fnUntraced(function* (strike) {
    yield* strike.progress(0.3)
    yield* jitter(strike)
    yield* strike.at.servers[name].stop
    yield* Effect.sleep(strike.away)
    yield* strike.at.servers[name].start
    return 1
  }),
})

/** Not Odoo: the stand-in keeps its records in memory, a real one in PostgreSQL. */
const crash = (name: "broker" | "database"): Fault => ({
  name: `crash-${name}`,
  what: `\`kill -9\` of ${titles[name]}, twice; started again on what it left`,
  strike: Effect.fnUntraced(function* (strike) {
    const moments = strike.brief ? ONE : CRASHES
    for (const moment of moments) {
      yield* strike.progress(moment)
      yield* jitter(strike)
      yield* strike.at.servers[name].crash
      yield* strike.at.servers[name].start
    }
    return moments.length
  }),
})

const freeze = (name: Name): Fault => ({
  name: `freeze-${name}`,
  what: `${titles[name]} frozen (SIGSTOP, SIGCONT): connections stay open, nobody answers`,
  odooTimeout: "2 seconds",
  strike: Effect.fnUntraced(function* (strike) {
    yield* strike.progress(0.3)
    yield* jitter(strike)
    yield* strike.at.servers[name].freeze
    yield* Effect.sleep(strike.away)
    yield* strike.at.servers[name].thaw
    return 1
  }),
})

const cut = (name: Name): Fault => ({
  name: `cut-${name}`,
  what: `connections to ${titles[name]} reset after a random number of bytes, up to ${CUTS} of them`,
  strike: Effect.fnUntraced(function* (strike) {
    const { at, random } = strike
    const times = strike.brief ? FEW_CUTS : CUTS
    yield* strike.progress(0.05)
    const proxy = at.proxies[name]
    const earlier = proxy.done()
    // Little goes over them in a short time.
    proxy.cut({ random, times, withinBytes: strike.brief ? CUT_BYTES[name] / 4 : CUT_BYTES[name] })
    for (let look = 0; look < LOOKS; look++) {
      const done = proxy.done()
      // What was left of the fault before is settled meanwhile, too: that alone ends nothing.
      if (done >= earlier + times || (done > earlier && !(yield* strike.before(0.8)))) break
      yield* Effect.sleep(POLL)
    }
    proxy.cut({ random, times: 0, withinBytes: CUT_BYTES[name] })
    return proxy.done() - earlier
  }),
})

export const outages: ReadonlyArray<Fault> = [
  kill,
  freezeWeir,
  twoWeirs,
  ...names.map(restart),
  crash("broker"),
  crash("database"),
  ...names.map(freeze),
  ...names.map(cut),
]
