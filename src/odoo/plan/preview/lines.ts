/** The lines below records that stand: each against the event's, found by its external id. */
import { Effect } from "effect"
import type { Load, Row } from "../../../flow/Step.ts"
import type { OdooRecord } from "../../CompanyCalls.ts"
import type { OdooError } from "../../Odoo.ts"
import type { Glass } from "./Glass.ts"
import { type Compared, compareValues, strict } from "./contents.ts"
import type { Looking } from "./Looking.ts"
import { columnOf, idsIn } from "./values.ts"

interface Parent {
  readonly index: number
  readonly row: Row
  readonly record: OdooRecord
}

type Lined = Parent & { readonly lines: NonNullable<Row["lines"]> }

/**
 * `promised`: the event promises the record's totals, so nothing may stand below it that is not the event's. Below other
 * records (an order) other events add lines of their own.
 */
export const compareLines: (
  step: Load<unknown>,
  parents: ReadonlyArray<Parent>,
  promised: boolean,
  looking: Looking,
  glass: Glass,
) => Effect.Effect<void, OdooError> = Effect.fnUntraced(function* (step, parents, promised, looking, glass) {
  const lined = parents.flatMap((parent): ReadonlyArray<Lined> =>
    parent.row.lines === undefined || parent.row.lines.rows.length === 0 ? [] : [{ ...parent, lines: parent.row.lines }]
  )
  for (const [field, group] of Map.groupBy(lined, ({ lines }) => lines.field)) {
    const model = (yield* glass.fields(step.model)).get(field)?.relation
    if (model === undefined) continue
    const names = yield* glass.externalIds.names(model, group.flatMap(({ record }) => idsIn(record[field])))
    const idsByName = new Map([...names].flatMap(([id, own]) => own.map((name) => [name, id] as const)))
    const wanted: Array<{ readonly parent: Lined; readonly values: Row["values"]; readonly id: number }> = []
    for (const parent of group) {
      const left = new Set(idsIn(parent.record[field]))
      const about = { model: step.model, id: parent.record.id, field }
      for (const { externalId, values } of parent.lines.rows) {
        const id = idsByName.get(externalId)
        if (id !== undefined && left.delete(id)) wanted.push({ parent, values, id })
        else looking.differs(parent.index, { ...about, event: externalId, odoo: "" })
      }
      if (!promised) continue
      for (const id of left) {
        looking.differs(parent.index, { ...about, event: "", odoo: names.get(id)?.[0] ?? `${model} ${id}` })
      }
    }
    const fields = [...new Set(wanted.flatMap(({ values }) => Object.keys(values).map((path) => columnOf(path).field)))]
    const records = yield* glass.read(model, wanted.map(({ id }) => id), fields)
    const compared = wanted.flatMap(({ id, parent, values }): ReadonlyArray<Compared> => {
      const record = records.get(id)
      return record === undefined ? [] : [{ index: parent.index, values, record, path: `${field}/` }]
    })
    yield* compareValues(model, compared, strict, looking, glass)
  }
})
