/**
 * Giving drafts the values of their events again, under a replay's policy. What stands must be a draft: a record that the
 * plan has made binding is refused before anything is written. Lines that are not the event's go, where the event
 * promises the record's totals.
 */
import { Effect } from "effect"
import type { EventSpec } from "../../flow/Flow.ts"
import type { Load, Row } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import { externalIds } from "../ExternalIds.ts"
import type { Batch } from "./Batch.ts"

const rowsOf = (step: Load<unknown>, batch: Batch, index: number): ReadonlyArray<Row> => {
  const rows = step.rows(batch.writes[index]!)
  if (Array.isArray(rows)) return rows as ReadonlyArray<Row>
  return "externalId" in rows ? [rows as Row] : []
}

/** Refuses the events whose records are no drafts any more. */
export const refuseBound = Effect.fnUntraced(function* (
  spec: EventSpec<unknown>,
  batch: Batch,
  calls: CompanyCalls,
) {
  for (const step of spec.plan) {
    if (step._tag !== "Transition") continue
    const load = spec.plan.find((other): other is Load<unknown> => other._tag === "Load" && other.name === step.of)
    if (load === undefined) continue
    const named = batch.alive.flatMap((index) => {
      const [row] = rowsOf(load, batch, index)
      return row === undefined ? [] : [{ index, name: row.externalId }]
    })
    const ids = yield* externalIds(calls, "").idsOf(step.model, named.map(({ name }) => name))
    const records = yield* calls.read(step.model, ids.values(), [step.field])
    for (const { index, name } of named) {
      const record = records.get(ids.get(name) ?? 0)
      if (record === undefined || step.from.includes(String(record[step.field]))) continue
      batch.refuse(index, {
        code: "ODOO-UNEXPECTED-STATE",
        detail: `${step.model} ${record.id} is ${record[step.field]}; only a draft gets other values`,
      })
    }
    batch.settle()
  }
})

/** After the step has set the values: takes away the lines that are not the event's. */
export const dropForeignLines = Effect.fnUntraced(function* (
  spec: EventSpec<unknown>,
  step: Load<unknown>,
  batch: Batch,
  calls: CompanyCalls,
) {
  if (!spec.plan.some((other) => other._tag === "Compare" && other.of === step.name)) return
  const lined = batch.alive.flatMap((index) => {
    const [row] = rowsOf(step, batch, index)
    return row?.lines === undefined ? [] : [{ id: batch.idOf(index, step.name), lines: row.lines }]
  })
  for (const [field, own] of Map.groupBy(lined, ({ lines }) => lines.field)) {
    const types = yield* calls.call(step.model, "fields_get", {
      args: { allfields: [field], attributes: ["relation"] },
    })
    const model = (types as { readonly [field: string]: { readonly relation?: string } })[field]?.relation
    if (model === undefined) continue
    const records = yield* calls.read(step.model, own.map(({ id }) => id), [field])
    const idsBelow = (id: number) => (records.get(id)?.[field] ?? []) as ReadonlyArray<number>
    const names = yield* externalIds(calls, "").names(model, own.flatMap(({ id }) => idsBelow(id)))
    for (const { id, lines } of own) {
      const wanted = new Set(lines.rows.map(({ externalId }) => externalId))
      const foreign = idsBelow(id).filter((line) => !(names.get(line) ?? []).some((name) => wanted.has(name)))
      if (foreign.length === 0) continue
      yield* calls.call(step.model, "write", {
        ids: [id],
        args: { vals: { [field]: foreign.map((line) => [2, line, 0]) } },
      })
    }
  }
})
