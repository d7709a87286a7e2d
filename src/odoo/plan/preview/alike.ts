/**
 * Records that another system has made of the same things: recognised by what its source calls them (`alike` of the event
 * type), and compared as far as a stranger's record can be: values, promised totals, state. Lines are not: they have no
 * names in common.
 */
import { Effect } from "effect"
import type { EventSpec } from "../../../flow/Flow.ts"
import type { Load } from "../../../flow/Step.ts"
import type { Write } from "../../../flow/Write.ts"
import type { OdooError } from "../../Odoo.ts"
import type { Glass } from "./Glass.ts"

/** Names looked for in one call. */
const PAGE = 200

const mainOf = ({ plan, record }: EventSpec<unknown>): Load<unknown> | undefined =>
  plan.find((step): step is Load<unknown> => step._tag === "Load" && step.name === record)

/** The steps that can be seen of a stranger's record. */
export const planOf = (spec: EventSpec<unknown>): EventSpec<unknown>["plan"] =>
  spec.plan.filter((step) => {
    switch (step._tag) {
      case "Load":
        return step.name === spec.record
      case "Compare":
      case "Transition":
        return step.of === spec.record
      case "Find":
      case "Resolve":
      case "Enrich":
        return true
      default:
        return false
    }
  })

/** Ids of the records that are like what each event is about, by the event's place; none where there is no likeness. */
export const recognised: (
  spec: EventSpec<unknown>,
  writes: ReadonlyArray<Write<unknown>>,
  glass: Glass,
) => Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, OdooError> = Effect.fnUntraced(
  function* (spec, writes, glass) {
    const { alike } = spec
    const main = mainOf(spec)
    if (alike === undefined || main === undefined) return writes.map(() => [])
    const field = glass.company.likeness?.get(main.model) ?? alike.field
    const values = writes.map(({ data }) => alike.value(data))
    const distinct = [...new Set(values)]
    const ids = new Map<string, Array<number>>()
    for (let from = 0; from < distinct.length; from += PAGE) {
      const page = distinct.slice(from, from + PAGE)
      const found = yield* glass.calls.searchRead(
        main.model,
        [...alike.domain, ["company_id", "in", [glass.company.id, false]], [field, "in", page]],
        [field],
        { order: "id" },
      )
      for (const record of found) {
        const value = String(record[field])
        ids.set(value, [...ids.get(value) ?? [], record.id])
      }
    }
    return values.map((value) => ids.get(value) ?? [])
  },
)

/** The model and the name of what an event is about, for whoever is told that it was not recognised. */
export const modelOf = (spec: EventSpec<unknown>): string => mainOf(spec)?.model ?? ""
