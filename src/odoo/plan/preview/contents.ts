/** The values of records that stand against those of the event: every one that differs is noted. */
import { Effect } from "effect"
import type { Row } from "../../../flow/Step.ts"
import type { OdooRecord } from "../../CompanyCalls.ts"
import type { Json, OdooError } from "../../Odoo.ts"
import type { Glass } from "./Glass.ts"
import type { Looking } from "./Looking.ts"
import { type Column, columnOf, idsIn, same, shown } from "./values.ts"

export interface Compared {
  readonly index: number
  readonly values: Row["values"]
  readonly record: OdooRecord
  /** Before the field's name in a difference: `invoice_line_ids/`. */
  readonly path: string
}

/** What differs and is right all the same. */
export interface Leniency {
  /** Columns whose text Odoo brings into a form of its own. */
  readonly rewritten: ReadonlySet<string>
  /** The plan may have booked on another day than the event's: `field`, when the text of `reference` says so. */
  readonly booking: {
    readonly field: string
    readonly reference: string
    readonly mark: (data: unknown) => string
  } | null
}

export const strict: Leniency = { rewritten: new Set(), booking: null }

/** The record says that it was booked on another day on purpose. */
const isMoved = ({ booking }: Leniency, record: OdooRecord, data: unknown): boolean =>
  booking !== null && String(record[booking.reference] ?? "").endsWith(booking.mark(data))

/** A value as it would be without what the plan did to it when it booked on another day. */
const unmoved = ({ booking }: Leniency, field: string, read: Json | undefined, data: unknown): Json | undefined =>
  booking !== null && field === booking.reference && typeof read === "string"
    ? read.slice(0, -booking.mark(data).length).trimEnd()
    : read

/** Columns by path, and the ids that values refer to by the model that they are of. */
const referencesIn = (compared: ReadonlyArray<Compared>, relationOf: (field: string) => string | undefined) => {
  const columns = new Map<string, Column>()
  const ids = new Map<string, Set<number>>()
  for (const { record, values } of compared) {
    for (const path in values) {
      const column = columns.get(path) ?? columnOf(path)
      columns.set(path, column)
      const relation = relationOf(column.field)
      if (column.by !== "externalId" || relation === undefined) continue
      const known = ids.get(relation) ?? new Set()
      for (const id of idsIn(record[column.field])) known.add(id)
      ids.set(relation, known)
    }
  }
  return { columns, ids }
}

export const compareValues: (
  model: string,
  compared: ReadonlyArray<Compared>,
  leniency: Leniency,
  looking: Looking,
  glass: Glass,
) => Effect.Effect<void, OdooError> = Effect.fnUntraced(function* (model, compared, leniency, looking, glass) {
  if (compared.length === 0) return
  const types = yield* glass.fields(model)
  const { columns, ids } = referencesIn(compared, (field) => types.get(field)?.relation)
  const names = new Map<string, ReadonlyMap<number, ReadonlyArray<string>>>()
  for (const [relation, own] of ids) names.set(relation, yield* glass.externalIds.known(relation, own))

  for (const { index, path: prefix, record, values } of compared) {
    const { data } = looking.writes[index]!
    for (const path in values) {
      const column = columns.get(path)!
      const { field } = column
      const type = types.get(field) ?? { type: "char" }
      const known = type.relation === undefined ? undefined : names.get(type.relation)
      const namesOf = (id: number): ReadonlyArray<string> => known?.get(id) ?? []
      const rewritten = leniency.rewritten.has(path)
      const cell = values[path]!
      const read = record[field]
      if (same(column, cell, read, { type, namesOf, rewritten })) continue
      if (isMoved(leniency, record, data)) {
        if (field === leniency.booking?.field) continue
        if (same(column, cell, unmoved(leniency, field, read, data), { type, namesOf, rewritten })) continue
      }
      looking.differs(index, {
        model,
        id: record.id,
        field: `${prefix}${path}`,
        event: String(cell),
        odoo: shown(read, namesOf),
      })
    }
  }
})
