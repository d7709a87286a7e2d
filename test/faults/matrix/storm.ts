/** Everything at once, for as long as the month takes: what one fault at a time does not find. */
import { Effect } from "effect"
import { raise } from "../../../fixtures/odoo/Faults.ts"
import type { Fault, Strike } from "./Fault.ts"

const TIMEOUT = "1500 millis"
const LATE_MILLIS = 2_500
/** Between two blows. */
const PAUSE_MILLIS = { least: 200, most: 1_500 }
/** Blows at most; then it is calm, and everything must come to its end. */
const BLOWS = 14
const SHORT = "1500 millis"

const servers = ["broker", "database", "odoo"] as const

const blow = Effect.fnUntraced(function* (strike: Strike) {
  const { at, random } = strike
  const server = random.pick(servers)
  switch (random.weighted({ kill: 3, crash: 2, stop: 2, freeze: 2, cut: 4 })) {
    case "kill":
      yield* strike.weir.signal("SIGKILL")
      yield* strike.weir.ended
      strike.weir = yield* at.weir
      return
    case "crash":
      // The stand-in's records are in memory: it stops in order.
      yield* server === "odoo" ? at.servers.odoo.stop : at.servers[server].crash
      yield* at.servers[server].start
      return
    case "stop":
      yield* at.servers[server].stop
      yield* Effect.sleep(SHORT)
      yield* at.servers[server].start
      return
    case "freeze":
      yield* at.servers[server].freeze
      yield* Effect.sleep(SHORT)
      yield* at.servers[server].thaw
      return
    case "cut":
      at.proxies[server].cut({ random, times: 5, withinBytes: 10_000 })
  }
})

export const storm: Fault = {
  name: "storm",
  what: `${BLOWS} blows of all kinds at random moments, while Odoo loses answers, is late and collides`,
  odooTimeout: TIMEOUT,
  strike: Effect.fnUntraced(function* (strike) {
    const { at, random } = strike
    const rules = [
      { fault: { kind: "reset", when: "after" }, probability: 0.1 },
      { fault: { kind: "reset", when: "before" }, probability: 0.05 },
      { fault: { kind: "late", millis: LATE_MILLIS }, probability: 0.05 },
      { fault: raise.serializationFailure, probability: 0.05 },
      { fault: { kind: "away" }, probability: 0.05 },
    ] as const
    let blows = 0
    while (blows < BLOWS && (yield* strike.before(0.9))) {
      // A server that was started again has forgotten them.
      yield* at.faults(rules)
      yield* Effect.sleep(random.int(PAUSE_MILLIS.least, PAUSE_MILLIS.most))
      yield* blow(strike)
      blows++
    }
    yield* at.faults([])
    for (const server of servers) at.proxies[server].cut({ random, times: 0, withinBytes: 0 })
    return blows
  }),
}
