/**
 * Takes over what another system has made of events that are dated before the cut-over. Of these records nothing is
 * written but the external id under which Weir looks for them; others are told nothing.
 *
 *     events ─► look, among others' records too ─┬─ one, as it should be ─► named ─► applied
 *                                                ├─ says something else           ─► CUTOVER-DIFFERS
 *                                                ├─ several                       ─► SHADOW-AMBIGUOUS
 *                                                └─ none                          ─► CUTOVER-MISSING
 */
import { Effect } from "effect"
import type { EventSpec } from "../flow/Flow.ts"
import type { Lane } from "../flow/Lane.ts"
import type { Write } from "../flow/Write.ts"
import type { Outcome } from "../ledger/Ledger.ts"
import { Adoption } from "../odoo/Adoption.ts"
import type { Company } from "../odoo/Company.ts"
import { cutoverOf } from "../odoo/Cutover.ts"
import type { OdooError } from "../odoo/Odoo.ts"
import { modelOf } from "../odoo/plan/preview/alike.ts"
import { Preview } from "../odoo/plan/preview/Preview.ts"
import type { Sight } from "../odoo/plan/preview/Sight.ts"
import { dispositionOf, type ReasonCode } from "../reason/Reason.ts"
import type { Item } from "./Item.ts"

interface Adopting {
  readonly company: Company
  readonly lane: Lane
}

/** Most differences that an exception tells. */
const TOLD = 5

const isFinal = ({ code }: OdooError): boolean => dispositionOf(code) === "park"

/** Amounts and days are told; names and texts may be persons'. */
const isTold = (value: string): boolean => /^[-\d.: ]*$/u.test(value)

const differencesIn = ({ differences, pending }: Sight): ReadonlyArray<string> => [
  ...differences.map(({ event, field, odoo }) =>
    isTold(event) && isTold(odoo) ? `${field} ${event}, not ${odoo}` : `${field} is another one`
  ),
  ...pending.filter(({ harmless }) => !harmless).map(({ detail }) => detail),
]

/** What became of each, in their order. Fails when Odoo does not answer; doing it again changes nothing. */
export const makeAdopter = Effect.fnUntraced(function* ({ company, lane }: Adopting) {
  const [preview, adoption] = [yield* Preview, yield* Adoption]
  /** A look knows what it has seen: each batch gets one of its own. */
  const look = () => preview.open(company, lane, undefined, true)

  const outcomeOf = Effect.fnUntraced(function* (spec: EventSpec<unknown>, data: unknown, item: Item, sight: Sight) {
    const event = { ...item.event, attempts: item.attempts }
    const parked = (code: ReasonCode, detail: string): Outcome => ({
      _tag: "Parked",
      event,
      message: item.message,
      code,
      detail,
    })
    const { foreign, parts: marks, record, refusal } = sight
    if (refusal !== null) return parked(refusal.code, refusal.detail)
    if (record === null) {
      const { day, from } = cutoverOf(spec, event.flow, data, event.storedAtMillis, company)!
      const mine = `${event.key} is dated ${day}, ${event.flow} are Weir's from ${from} on`
      return parked("CUTOVER-MISSING", `${mine}: no ${modelOf(spec)} of the other system is like it`)
    }
    if (foreign && spec.alike?.isPart === true) {
      const why = "it is made of several records, of which only one is recognised. Take the flow out of cutover"
      return parked("CUTOVER-MISSING", `${event.key} cannot be taken over: ${why}`)
    }
    const { externalId, id, model } = record
    // What has versions may stand with the values of a newer one, which is on its way.
    const differences = spec.versions === "gate" ? [] : differencesIn(sight)
    if (differences.length > 0) {
      const told = differences.slice(0, TOLD).join("; ")
      return parked("CUTOVER-DIFFERS", `${model} ${id} is not what ${event.key} says: ${told}`)
    }
    if (foreign) {
      const named = yield* adoption.name(company, record, lane).pipe(
        Effect.as(null),
        // Of this record alone: the others of the batch may need no name.
        Effect.catchIf(isFinal, (error) => Effect.succeed(parked(error.code, error.message))),
      )
      if (named !== null) return named
    }
    const mapping = { model, id, externalId, version: event.version, links: sight.links }
    return { _tag: "Applied", event, mapping, ...marks.length > 0 && { marks }, outbox: [] } satisfies Outcome
  })

  return Effect.fnUntraced(function* (
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    items: ReadonlyArray<Item>,
  ) {
    const sights = yield* look().at(spec, writes, writes.map(({ previous }) => previous))
    return yield* Effect.forEach(sights, (sight, at) => outcomeOf(spec, writes[at]!.data, items[at]!, sight))
  })
})
