/** What of an exception's event stands in Odoo now: the records that the ledger or the cause names, read back. */
import { Context, Effect, Layer, Schema } from "effect"
import { Roster } from "../../actor/Roster.ts"
import type { ExceptionFile } from "../../ledger/Desk.ts"
import { CallGate } from "../../odoo/CallGate.ts"
import { companyCalls } from "../../odoo/CompanyCalls.ts"
import { type Json, Odoo } from "../../odoo/Odoo.ts"
import type { Clearance } from "../masking.ts"
import { markOf } from "../masking.ts"

/** Records that are read at most, and how long all of them may take. */
const MAX_RECORDS = 10
const WITHIN = "5 seconds"

/** What a person wants to see of a record, by model; of any other, its name. */
const fieldsOf: Readonly<Record<string, ReadonlyArray<string>>> = {
  "account.move": ["name", "state", "date", "amount_untaxed", "amount_tax", "amount_total"],
  "account.payment": ["name", "state", "date", "amount"],
  "account.analytic.line": ["name", "date", "unit_amount"],
  "sale.order": ["name", "state"],
}
const money = /^(?:amount|unit_amount)/u
const plain = new Set(["state", "date"])

export const StandingRecord = Schema.Struct({
  model: Schema.String,
  id: Schema.Int,
  /** Fields as Odoo has them now; null: it is not there any more. */
  fields: Schema.NullOr(
    Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])),
  ),
}).annotate({ identifier: "StandingRecord" })
export type StandingRecord = typeof StandingRecord.Type

export interface Standing {
  readonly records: ReadonlyArray<StandingRecord>
  /** Why Odoo could not be asked; empty: it was. */
  readonly trouble: string
}

/** `account.move 96` in the words of an exception (`odoo/plan/standing.ts` writes them). */
const named = /\b([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+) (\d{1,15})\b/gu

/** The records that file and mapping name, each once. */
export const recordsNamed = (
  { mapping, row }: Pick<ExceptionFile, "mapping" | "row">,
): ReadonlyArray<{ readonly model: string; readonly id: number }> => {
  const found = [
    ...(mapping === null || mapping.id === 0 ? [] : [{ model: mapping.model, id: mapping.id }]),
    ...[...row.detail.matchAll(named)].map(([, model = "", id = ""]) => ({ model, id: Number(id) })),
  ]
  return found.filter(({ id, model }, at) => found.findIndex((one) => one.id === id && one.model === model) === at)
    .slice(0, MAX_RECORDS)
}

const shown = (name: string, value: Json | undefined, clearance: Clearance): string | number | boolean | null => {
  const classification = money.test(name) ? "financial" : plain.has(name) ? null : "personal"
  if (classification !== null && !clearance.has(classification)) return markOf(classification)
  return typeof value === "object" ? JSON.stringify(value) : value ?? null
}

export class StandingInOdoo extends Context.Service<StandingInOdoo, {
  /** Never fails, and never takes long: what cannot be read is said. */
  readonly of: (file: ExceptionFile, clearance: Clearance) => Effect.Effect<Standing>
}>()("weir/operate/exceptions/StandingInOdoo") {}

export const layer = Layer.effect(
  StandingInOdoo,
  Effect.gen(function* () {
    const odoo = yield* Odoo
    const gate = yield* CallGate
    const roster = yield* Roster
    return StandingInOdoo.of({
      of: Effect.fnUntraced(function* (file, clearance) {
        const records = recordsNamed(file)
        const settings = roster.entities.get(file.row.entity)
        if (records.length === 0 || settings === undefined) return { records: [], trouble: "" }
        const { code: entity, company, database } = settings
        const calls = companyCalls(odoo, gate, { entity, database, id: company }, "normal")
        return yield* Effect.forEach(records, ({ id, model }) => {
          const fields = fieldsOf[model] ?? ["display_name"]
          return Effect.map(calls.read(model, [id], fields), (found): StandingRecord => {
            const record = found.get(id)
            return {
              model,
              id,
              fields: record === undefined
                ? null
                : Object.fromEntries(fields.map((name) => [name, shown(name, record[name], clearance)])),
            }
          })
        }).pipe(
          Effect.map((records): Standing => ({ records, trouble: "" })),
          Effect.timeoutOrElse({
            duration: WITHIN,
            orElse: () => Effect.succeed<Standing>({ records: [], trouble: `Odoo did not answer within ${WITHIN}.` }),
          }),
          Effect.catch((error) =>
            Effect.succeed<Standing>({ records: [], trouble: `Odoo was asked in vain (${error.code}).` })
          ),
        )
      }),
    })
  }),
)
