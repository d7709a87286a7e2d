/**
 * The update step: reads, writes what differs, reads again. Events that want the same values share a call; a call that
 * fails is isolated to the guilty event (`isolate.ts`).
 */
import { Effect } from "effect"
import type { Refusal, Update } from "../../flow/Step.ts"
import { type CompanyCalls, many2one, type OdooRecord } from "../CompanyCalls.ts"
import type { Json } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"
import { isolate } from "./isolate.ts"

type Values = { readonly [field: string]: Json }

interface Wanted {
  readonly index: number
  readonly ids: ReadonlyArray<number>
  readonly values: Values
}

const isRefusal = (values: Values | Refusal): values is Refusal => "code" in values && "detail" in values

/** Whether a field as it is read has the value that is written: a many2one is read as id and name. */
const has = (read: Json | undefined, written: Json): boolean =>
  read === written || (typeof written === "number" && Array.isArray(read) && many2one(read) === written)

const differs = (record: OdooRecord, values: Values): boolean =>
  Object.entries(values).some(([field, value]) => !has(record[field], value))

const wantedOf = (step: Update<unknown>, batch: Batch): ReadonlyArray<Wanted> =>
  batch.alive.flatMap((index) => {
    const write = batch.writes[index]!
    const ids = [...new Set(step.records(write))]
    if (ids.length === 0) return []
    const values = step.values(write)
    if (!isRefusal(values)) return [{ index, ids, values }]
    batch.refuse(index, values)
    return []
  })

export const runUpdate = Effect.fnUntraced(function* (step: Update<unknown>, batch: Batch, calls: CompanyCalls) {
  const wanted = wantedOf(step, batch)
  if (wanted.length === 0) return
  const fields = [...new Set([...wanted.flatMap(({ values }) => Object.keys(values)), ...step.fields ?? []])]
  const before = yield* calls.read(step.model, wanted.flatMap(({ ids }) => ids), fields)
  const groups = new Map<string, Array<Wanted>>()
  for (const each of wanted) {
    const { ids, index, values } = each
    const gone = ids.find((id) => !before.has(id))
    if (gone !== undefined) {
      batch.refuse(index, { code: "ODOO-RECORD-MISSING", detail: `${step.model} ${gone} is gone` })
      continue
    }
    const left = ids.filter((id) => {
      const record = before.get(id)!
      return step.only === undefined ? differs(record, values) : step.only(record, batch.writes[index]!)
    })
    if (left.length === 0) continue
    const name = JSON.stringify(values)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [{ ...each, ids: left }])
    else group.push({ ...each, ids: left })
  }
  for (const group of groups.values()) {
    yield* isolate(group, {
      call: (part) =>
        calls.call(step.model, "write", {
          ids: [...new Set(part.flatMap(({ ids }) => ids))],
          args: { vals: part[0]!.values },
        }),
      refuse: ({ index }, error) => batch.refuseFor(index, error),
    })
  }
  const after = groups.size === 0 ? before : yield* calls.read(step.model, wanted.flatMap(({ ids }) => ids), fields)
  for (const { ids, index } of wanted) {
    batch.writes[index]!.read[step.name] = { records: ids.flatMap((id) => after.get(id) ?? []) }
  }
})
