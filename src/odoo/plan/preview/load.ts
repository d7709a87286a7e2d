/**
 * What a load step would do: which of its records stand, and where the values of those differ from the event's.
 *
 *     rows ─► id known to the ledger ─┬─ read: stands ──────────────┬─► compared, field by field
 *             nothing known, or gone ─┴─► by external id ─ stands ──┘
 *                                                        └─ missing: would be created
 */
import { Effect } from "effect"
import type { Load, Refusal, Row } from "../../../flow/Step.ts"
import type { OdooRecord } from "../../CompanyCalls.ts"
import { compareValues, type Leniency } from "./contents.ts"
import type { Glass } from "./Glass.ts"
import { compareLines } from "./lines.ts"
import { type Looking, stepsOf } from "./Looking.ts"
import { columnOf } from "./values.ts"

/** One record that the step is about. */
interface Place {
  readonly index: number
  readonly row: Row
  /** Its place among the event's records of the step. */
  readonly at: number
  id: number | undefined
}

const isRefusal = (value: Row | ReadonlyArray<Row> | Refusal): value is Refusal => "code" in value && "detail" in value

/** The id that the ledger knows: by the step's name for its first row, by its role for one with a key of its own. */
const knownId = (step: Load<unknown>, { known, spec }: Looking, index: number, { as }: Row, first: boolean) => {
  const mapping = known[index]
  if (mapping === null || mapping === undefined) return undefined
  const point = as?.key.indexOf(".") ?? -1
  const id = first && step.name === spec.record
    ? (mapping.model === step.model ? mapping.id : 0)
    : as !== undefined && point >= 0
    ? mapping.links[as.key.slice(point + 1)]
    : first
    ? mapping.links[step.name]
    : undefined
  return id === 0 ? undefined : id
}

const placesOf = (step: Load<unknown>, looking: Looking): ReadonlyArray<Place> => {
  const places: Array<Place> = []
  for (const index of looking.open) {
    const rows = step.rows(looking.writes[index]!)
    if (!Array.isArray(rows) && isRefusal(rows as Row | Refusal)) {
      looking.refuse(index, rows as Refusal)
      continue
    }
    const all = Array.isArray(rows) ? rows as ReadonlyArray<Row> : [rows as Row]
    all.forEach((row, n) => places.push({ index, row, at: n, id: knownId(step, looking, index, row, n === 0) }))
  }
  return places
}

/** Fields that the step itself and those after it need of its records: one question for all. */
const fieldsOf = (step: Load<unknown>, looking: Looking, places: ReadonlyArray<Place>): ReadonlyArray<string> => {
  const fields = new Set<string>()
  for (const { row } of places) {
    for (const path in row.values) fields.add(columnOf(path).field)
    if (row.lines !== undefined) fields.add(row.lines.field)
  }
  for (const transition of stepsOf(looking.spec, "Transition")) {
    if (transition.of !== step.name) continue
    for (const field of [transition.field, ...transition.fields ?? []]) fields.add(field)
    if (transition.period !== undefined) fields.add(transition.period.field).add(transition.period.reference)
  }
  for (const { of, expect } of stepsOf(looking.spec, "Compare")) {
    const [place] = places
    if (of === step.name && place !== undefined) {
      for (const field in expect(looking.writes[place.index]!)) fields.add(field)
    }
  }
  return [...fields]
}

/** The plan may have booked the record on another day than the event's, and says so in a text of the record. */
const bookingOf = (step: Load<unknown>, { spec }: Looking): Leniency["booking"] => {
  const period = stepsOf(spec, "Transition").find(({ of, period }) => of === step.name && period !== undefined)?.period
  return period === undefined ? null : {
    field: period.field,
    reference: period.reference,
    mark: (data) => `(${period.date(data)})`,
  }
}

/**
 * Values that another system's record can be held against: not what names records by external ids, of which it has none of
 * Weir's, and not its company, which a shared contact does without.
 */
const ofAnybody = (values: Row["values"]): Row["values"] =>
  Object.fromEntries(
    Object.entries(values).filter(([path]) => {
      const { by, field } = columnOf(path)
      return by !== "externalId" && field !== "company_id"
    }),
  )

export const lookAtLoad = Effect.fnUntraced(function* (step: Load<unknown>, looking: Looking, glass: Glass) {
  const places = placesOf(step, looking)
  if (places.length === 0) return
  const fields = fieldsOf(step, looking, places)
  const records = new Map(yield* glass.read(step.model, places.flatMap(({ id }) => id ?? []), fields))
  // What the ledger does not know, and what it knows and is gone: a record keeps its external id when it is merged.
  const lost = places.filter(({ id }) => id === undefined || !records.has(id))
  if (lost.length > 0) {
    const found = yield* glass.externalIds.idsOf(step.model, lost.map(({ row }) => row.externalId))
    for (const place of lost) place.id = found.get(place.row.externalId)
    for (const [id, record] of yield* glass.read(step.model, lost.flatMap(({ id }) => id ?? []), fields)) {
      records.set(id, record)
    }
  }
  const standing: Array<{ readonly place: Place; readonly record: OdooRecord }> = []
  for (const place of places) {
    const record = place.id === undefined ? undefined : records.get(place.id)
    const { externalId } = place.row
    if (record === undefined) looking.missing(place.index, { model: step.model, externalId })
    else {
      standing.push({ place, record })
      looking.stands(place.index, step.name, { model: step.model, externalId, record }, place.at)
      const { as } = place.row
      if (as !== undefined) {
        looking.named(place.index, { ...as, record: { model: step.model, id: record.id, externalId } })
      }
    }
  }
  const comparable = standing.filter(({ place }) => looking.isItsOwn(place.index))
  yield* compareValues(
    step.model,
    comparable.map(({ place: { index, row: { values } }, record }) => ({
      index,
      values: looking.foreign ? ofAnybody(values) : values,
      record,
      path: "",
    })),
    { rewritten: new Set(step.rewritten ?? []), booking: bookingOf(step, looking) },
    looking,
    glass,
  )
  if (looking.foreign) return
  const promised = stepsOf(looking.spec, "Compare").some(({ of }) => of === step.name)
  yield* compareLines(
    step,
    comparable.map(({ place, record }) => ({ index: place.index, row: place.row, record })),
    promised,
    looking,
    glass,
  )
})
