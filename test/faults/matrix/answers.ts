/** Odoo answers wrongly, late or not at all. What it did meanwhile, only its records tell. */
import { Effect } from "effect"
import type { Random } from "../../../fixtures/generator/Random.ts"
import { type FaultRule, raise } from "../../../fixtures/odoo/Faults.ts"
import type { Fault } from "./Fault.ts"

/** Shorter than `LATE_MILLIS`: the call is given up, and committed afterwards. */
const TIMEOUT = "1500 millis"
const LATE_MILLIS = 2_500
const SLOW_MILLIS = 600
/** A plan of ten calls must get through between two of them: the chances below are those of one call. */
const STRIKES = 20
const FEW_STRIKES = 5
const POLL = "100 millis"
/** Looks until a fault that does not strike is given up: a minute on a machine at rest. */
const LOOKS = 600

/** Few calls are made in a short time. */
const likelier = (rule: FaultRule): FaultRule => ({
  ...rule,
  probability: Math.min(0.5, 2.5 * (rule.probability ?? 1)),
})

/** Of a short time the first call is hit for sure, in one of the ways; the others by chance. */
const brieflyBy = (rules: ReadonlyArray<FaultRule>, random: Random): ReadonlyArray<FaultRule> => [
  { ...rules[random.int(0, rules.length - 1)]!, probability: 1, times: 1 },
  ...rules.map(likelier),
]

/** The stand-in fails by these rules from the beginning, until it has done so often enough. */
const answers = (name: string, what: string, rules: ReadonlyArray<FaultRule>): Fault => ({
  name,
  what,
  odooTimeout: TIMEOUT,
  strike: Effect.fnUntraced(function* ({ at, before, brief, progress, random }) {
    const earlier = yield* at.struck
    const times = earlier + (brief ? FEW_STRIKES : STRIKES)
    if (!brief) yield* progress(0.02)
    yield* at.faults(brief ? brieflyBy(rules, random) : rules)
    for (let look = 0; look < LOOKS; look++) {
      const struck = yield* at.struck
      // What was left of the fault before is settled meanwhile, too: that alone ends nothing.
      if (struck >= times || (struck > earlier && !(yield* before(0.9)))) break
      yield* Effect.sleep(POLL)
    }
    yield* at.faults([])
    return (yield* at.struck) - earlier
  }),
})

/** Nothing goes through for a while, whatever is asked; in short: for one of the entities, because it takes its time. */
const refusedKey: Fault = {
  name: "odoo-key",
  what: "Odoo refuses the API key for a while, then takes it again",
  strike: Effect.fnUntraced(function* ({ at, away, brief, progress }) {
    const [one] = Object.values(at.scenario.configuration.entities)
    yield* progress(brief ? 0 : 0.3)
    const earlier = yield* at.struck
    yield* at.faults([{ fault: { kind: "key" }, ...brief && { company: one!.company } }])
    yield* Effect.sleep(away)
    const struck = yield* at.struck
    yield* at.faults([])
    return struck - earlier
  }),
}

export const odooAnswers: ReadonlyArray<Fault> = [
  answers("odoo-lost-answer", "Odoo commits, and the connection breaks before the answer; one call in six", [
    { fault: { kind: "reset", when: "after" }, probability: 0.16 },
  ]),
  answers(
    "odoo-late-answer",
    `Odoo commits and answers after ${LATE_MILLIS} ms, Weir gives up before; one call in eight`,
    [
      { fault: { kind: "late", millis: LATE_MILLIS }, probability: 0.12 },
    ],
  ),
  answers("odoo-silence", "Odoo never answers, having committed or not; one call in six", [
    { fault: { kind: "hang", commits: true }, probability: 0.08 },
    { fault: { kind: "hang", commits: false }, probability: 0.08 },
  ]),
  answers("odoo-500", "Odoo answers 500 by name: serialization failure, lock timeout, database session killed", [
    { fault: raise.serializationFailure, probability: 0.05 },
    { fault: raise.lockNotAvailable, probability: 0.05 },
    { fault: raise.sessionKilled, probability: 0.05 },
  ]),
  answers("odoo-database-away", "Odoo's own database is away: the HTML 404, one call in six", [
    { fault: { kind: "away" }, probability: 0.16 },
  ]),
  refusedKey,
  answers("odoo-slow", `Odoo takes ${SLOW_MILLIS} ms longer for one call in three`, [
    { fault: { kind: "slow", millis: SLOW_MILLIS }, probability: 0.3 },
  ]),
]
