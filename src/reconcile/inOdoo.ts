/** What Odoo has of the events that the ledger has as applied: amounts of their records, and everything that differs. */
import { BigDecimal, Effect } from "effect"
import { fromOdooFloat } from "../../schemas/money.ts"
import type { StoredMessage } from "../broker/Broker.ts"
import type { Control } from "../flow/Flow.ts"
import type { RunJson } from "../ledger/Runs.ts"
import type { OdooRecord } from "../odoo/CompanyCalls.ts"
import type { Examined } from "../replay/Examiner.ts"
import type { Finding } from "../replay/Finding.ts"
import { nameOf } from "./Account.ts"
import type { Proof } from "./Proof.ts"

/** Decimals at which floats of Odoo are added up. */
const FLOAT_SCALE = 6

export interface Standing {
  readonly examined: Examined
  readonly control: Control
  /** Its record, with the fields that are added up; null: none that stands for this event. */
  readonly record: OdooRecord | null
}

/** One question per event type for what differs, one per model for the amounts. */
export const lookAtRecords = Effect.fnUntraced(function* (
  { examiner }: Proof,
  applied: ReadonlyArray<{ readonly message: StoredMessage; readonly control: Control }>,
) {
  const controls = new Map(applied.map(({ control, message }) => [message.streamSequence, control]))
  const all = yield* examiner.examine(applied.map(({ message }) => ({ ordinal: message.streamSequence, message })))
  const places = all.map((examined) => ({ examined, control: controls.get(examined.ordinal)! }))
  const read = new Map<string, ReadonlyMap<number, OdooRecord>>()
  for (const [model, own] of Map.groupBy(places, ({ examined }) => examined.finding.record?.model)) {
    const fields = [...new Set(own.flatMap(({ control }) => Object.keys(control.amounts)))]
    if (model === undefined || fields.length === 0) continue
    read.set(
      model,
      yield* examiner.look.glass.read(model, own.map(({ examined }) => examined.finding.record!.id), fields),
    )
  }
  return places.map(({ control, examined }): Standing => {
    const { finding: { class: found, record } } = examined
    // What stands is a later event's.
    if (record === undefined || found === "superseded") return { examined, control, record: null }
    return { examined, control, record: read.get(record.model)?.get(record.id) ?? { id: record.id } }
  })
})

const detailOf = (
  { code, differences = [], missing = [], note, pending = [], record }: Examined["finding"],
): RunJson => ({
  ...(code !== undefined && { code }),
  ...(note !== undefined && { note }),
  ...(record !== undefined && { record: record as unknown as RunJson }),
  ...(missing.length > 0 && { missing: missing as unknown as RunJson[string] }),
  ...(pending.length > 0 && { pending: pending as unknown as RunJson[string] }),
  ...(differences.length > 0 && { differences: differences as unknown as RunJson[string] }),
})

/** Null: it stands as the event says, or a later event's values do. */
const kindOf = ({ class: found, differences = [], missing = [], pending = [] }: Finding, { amounts }: Control) =>
  missing.length > 0
    ? "deleted"
    : differences.some(({ field }) => field in amounts)
    ? "amount"
    : found === "superseded"
    ? null
    : differences.length > 0
    ? "value"
    : pending.length > 0
    ? "undone"
    : found === "refused" || found === "missing"
    ? "unverified"
    : null

/** Adds up what is to stand and what stands, and notes what differs. */
export const countStanding = ({ accounts, noted }: Proof, { control, examined, record }: Standing): void => {
  const { finding, item: { event } } = examined
  const account = accounts.get(event.flow)!
  if (record !== null) {
    account.records++
    for (const field in control.amounts) {
      const name = nameOf(control, field)
      account.due.add(name, control.amounts[field]!)
      const value = record[field]
      if (typeof value === "number") {
        account.standing.add(name, BigDecimal.normalize(fromOdooFloat(value, FLOAT_SCALE)))
      }
    }
  }
  const kind = kindOf(finding, control)
  if (kind !== null) noted(kind, event.flow, event, detailOf(finding))
}
