/**
 * Corrects a posted document that stands with other values than its event: what takes it back and what makes it anew are
 * events, published on the entity's own subjects, and written like all others.
 *
 *   posted, with other values ─► credit note and its approval ─► applied ─► the request under a new key ─► applied
 *
 * Their ids and keys are made of the document's key and the event's payload: however often this is begun, whatever dies in
 * between, they are the same events, and the ledger takes each of them once.
 */
import { Clock, Duration, Effect } from "effect"
import { Envelope, eventIdOf } from "../../schemas/envelope.ts"
import { untilAvailable } from "../actor/patience.ts"
import { Broker } from "../broker/Broker.ts"
import { toMessage } from "../broker/cloudevents.ts"
import type { CorrectingEvent } from "../flow/Flow.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Conclusion, Run } from "../ledger/Runs.ts"
import { Recall } from "../ledger/Recall.ts"
import type { Look } from "../odoo/plan/preview/Preview.ts"
import type { Examined } from "./Examiner.ts"

/** Source of the events that a replay makes. */
export const SOURCE = "//weir/replay"
/** How often it is looked whether they are applied, and how long at most. */
const LOOK = Duration.seconds(1)
const PATIENCE = Duration.minutes(10)
/** Of the document's key and of the payload's hash, in the keys that are made of them: 64 characters at most. */
const KEY = 48
const HASH = 12

/** Keys of the credit note and of the new document. */
export const keysOf = (
  { item: { event } }: Pick<Examined, "item">,
): { readonly credit: string; readonly renewal: string } => {
  const [key, hash] = [event.key.slice(0, KEY), event.payloadHash.slice(0, HASH)]
  return { credit: `${key}-c-${hash}`, renewal: `${key}-r-${hash}` }
}

const idOf = ({ key, type }: Pick<CorrectingEvent, "key" | "type">): string => `${type}/${key}`
const eventId = (event: Pick<CorrectingEvent, "key" | "type">): string => eventIdOf({ source: SOURCE, id: idOf(event) })

/** Id of the event that makes the document anew. */
export const renewalId = (examined: Pick<Examined, "item">): string =>
  eventId({ type: examined.item.payload!.spec.type, key: keysOf(examined).renewal })

/** Whether there is a way to correct it. */
export const isRebillable = ({ draft, finding, item: { payload }, sight }: Examined): boolean =>
  finding.class === "changed" && !draft && payload?.spec.rebill !== undefined && sight?.record != null

export interface Rebilling {
  readonly run: Run
  readonly look: Look
  /** Whether the run still is to be applied. */
  readonly goesOn: Effect.Effect<boolean, LedgerError>
}

/** What became of it; null: the run is not to go on. */
export const rebill = Effect.fn("Replay.rebill")(function* (examined: Examined, { goesOn, look, run }: Rebilling) {
  const { item: { event, payload }, ordinal, sight } = examined
  const { data, spec } = payload!
  const { model, id } = sight!.record!
  const [broker, recall] = [yield* Broker, yield* Recall]
  const keys = keysOf(examined)
  const document = (yield* look.glass.read(model, [id], spec.rebill!.fields).pipe(untilAvailable("replay"))).get(id)
  const concluded = (outcome: string, note: string): Conclusion => ({ ordinal, outcome, detail: { note } })
  if (document === undefined) return concluded("left alone", `${model} ${id} is gone`)

  const publish = (events: ReadonlyArray<CorrectingEvent>, now: number) =>
    broker.publish(events.map(({ data, key, type }) => {
      const envelope: Envelope = {
        specversion: "1.0",
        id: idOf({ key, type }),
        source: SOURCE,
        type,
        time: new Date(now).toISOString(),
        partitionkey: key,
        entity: run.entity,
        causationid: event.eventId.slice(0, 256),
        ...(event.correlationId !== null && { correlationid: event.correlationId }),
        data,
      }
      return toMessage(envelope, `erp.${run.entity}.${type}`)
    })).pipe(untilAvailable("replay"))

  const groups = spec.rebill!.events({
    data,
    ...keys,
    document,
    day: new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 10),
    requestedBy: run.requestedBy,
    approvedBy: run.appliedBy,
    reason: run.reason,
  })
  /** What the ledger says of them; `coming`: it does not know of it yet. */
  const statesOf = Effect.fnUntraced(function* (group: ReadonlyArray<CorrectingEvent>) {
    const known = yield* recall.byId(run.entity, group.map(eventId)).pipe(untilAvailable("replay"))
    return group.map((one) => known.find((each) => each.eventId === eventId(one))?.state ?? "coming")
  })

  for (const group of groups) {
    const began = yield* Clock.currentTimeMillis
    // What another run has asked for stands as that one put it, with its day and its names: it is not asked for again.
    const before = yield* statesOf(group)
    const unasked = group.filter((_, n) => before[n] === "coming")
    if (unasked.length > 0) yield* publish(unasked, began)
    while (true) {
      const states = yield* statesOf(group)
      if (states.every((state) => state === "applied")) break
      const stuck = states.findIndex((state) => state === "parked" || state === "dismissed" || state === "superseded")
      if (stuck >= 0) return concluded("refused", `${group[stuck]!.type} ${group[stuck]!.key} is ${states[stuck]}`)
      const late = (yield* Clock.currentTimeMillis) - began > Duration.toMillis(PATIENCE)
      if (late) {
        return concluded(
          "waiting",
          group.map(({ key, type }, n) => `${type} ${key} is ${states[n]}`).join(", "),
        )
      }
      if (!(yield* goesOn)) return null
      yield* Effect.sleep(LOOK)
    }
  }
  return concluded("rebilled", `credited by ${keys.credit}, billed anew as ${keys.renewal}`)
})
