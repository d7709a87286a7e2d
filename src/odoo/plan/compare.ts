/**
 * The compare step: what Odoo computed against what the event promised, exactly, before anything binding happens. Amounts
 * are compared at the scale of their currency, or at the promise's own when that is finer.
 */
import { BigDecimal, Effect } from "effect"
import { format, formatOdooFloat, scaleOf } from "../../../schemas/money.ts"
import type { Compare } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { Json } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"

/** `undefined` when equal, otherwise both in words. Pure. */
export const differenceOf = (
  field: string,
  promised: BigDecimal.BigDecimal,
  computed: Json | undefined,
  currencyScale: number,
): string | undefined => {
  const exact = promised.scale > currencyScale ? BigDecimal.normalize(promised) : promised
  const scale = Math.max(currencyScale, exact.scale)
  const wanted = format(exact, scale)
  if (typeof computed !== "number") return `${field}: promised ${wanted}, Odoo has no number`
  const got = formatOdooFloat(computed, scale)
  return got === wanted ? undefined : `${field}: promised ${wanted}, Odoo computes ${got}`
}

export const runCompare = Effect.fnUntraced(function* (step: Compare<unknown>, batch: Batch, calls: CompanyCalls) {
  const promises = batch.with(step.of).map((index) => {
    const write = batch.writes[index]!
    return {
      index,
      id: batch.idOf(index, step.of),
      expected: step.expect(write),
      scale: scaleOf(step.currency?.(write) ?? write.company.currency),
    }
  })
  const fields = new Set<string>()
  for (const { expected } of promises) for (const field in expected) fields.add(field)
  if (fields.size === 0) return
  const records = yield* calls.read(step.model, promises.map(({ id }) => id), [...fields])
  for (const { expected, id, index, scale } of promises) {
    const record = records.get(id)
    if (record === undefined) {
      batch.refuse(index, { code: "ODOO-RECORD-MISSING", detail: `${step.model} ${id} is gone` })
      continue
    }
    const differences = new Map<string, string>()
    for (const field in expected) {
      const difference = differenceOf(field, expected[field]!, record[field], scale)
      if (difference !== undefined) differences.set(field, difference)
    }
    const [first] = differences.keys()
    if (first === undefined) continue
    batch.refuse(index, {
      code: step.codes?.[first] ?? step.code,
      detail: `${step.model} ${id}: ${[...differences.values()].join("; ")}`,
    })
  }
})
