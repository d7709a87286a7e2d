/** Records of the period in Odoo that no event made: those of people, and those that the ledger cannot account for. */
import { Effect } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow, Population } from "../flow/Flow.ts"
import { Recall } from "../ledger/Recall.ts"
import type { RunJson } from "../ledger/Runs.ts"
import type { OdooRecord } from "../odoo/CompanyCalls.ts"
import { PAGE } from "../odoo/ExternalIds.ts"
import { aboutKey, type Proof } from "./Proof.ts"

interface Named {
  readonly record: OdooRecord
  readonly externalId: string
  readonly key: string
}

const jsonOf = (record: OdooRecord): RunJson => record as unknown as RunJson

/** A page of records that may be the flow's, after an id, with the external ids that Weir gave them. */
const pageOf = Effect.fnUntraced(function* (
  { company, entity, examiner: { look: { glass } }, first, last }: Proof,
  { day, domain, model }: Population,
  fields: ReadonlyArray<string>,
  after: number,
) {
  const page = yield* glass.calls.searchRead(
    model,
    [["id", ">", after], ["company_id", "=", company.id], [day, ">=", first], [day, "<=", last], ...domain],
    [...new Set(["display_name", "write_uid", "write_date", day, ...fields])],
    { order: "id", limit: PAGE },
  )
  const names = yield* glass.externalIds.names(model, page.map(({ id }) => id))
  return page.map((record) => ({
    record,
    externalId: (names.get(record.id) ?? []).find((each) => each.startsWith(`weir_${entity}.`)),
  }))
})

const ofFlow = Effect.fnUntraced(
  function* (proof: Proof, flow: Flow, population: Population, fields: ReadonlyArray<string>) {
    const { entity, noted, tell } = proof
    const recall = yield* Recall
    const stem = `weir_${entity}.${flow.name}_`
    for (let after = 0;;) {
      const page = yield* pageOf(proof, population, fields, after).pipe(untilAvailable("reconciliation"))
      const named = page.flatMap(({ externalId, record }): ReadonlyArray<Named> =>
        externalId?.startsWith(stem) ? [{ record, externalId, key: externalId.slice(stem.length) }] : []
      )
      const answers = yield* recall.answers(
        entity,
        flow.name,
        named.map(({ externalId, key }) => ({ eventId: externalId, key, references: [] })),
      ).pipe(untilAvailable("reconciliation"))
      for (const { externalId, record } of page) {
        if (externalId !== undefined) continue
        noted("hand-made", flow.name, aboutKey(`${population.model} ${record.id}`), { record: jsonOf(record) })
      }
      named.forEach(({ externalId, key, record }, n) => {
        // A part, or one of several records of a key, has no mapping of its own.
        if (answers[n]!.mapping !== null || key.includes(".")) return
        noted("unknown-record", flow.name, aboutKey(key), { record: jsonOf(record), externalId })
      })
      const goesOn = yield* tell
      after = page.at(-1)?.record.id ?? after
      if (page.length < PAGE || !goesOn) return
    }
  },
)

/** Of each flow that says which records are of its kind. */
export const overOdoo = Effect.fnUntraced(function* (proof: Proof) {
  for (const flow of proof.flows) {
    const spec = flow.events.find(({ population }) => population !== undefined)
    if (spec?.population === undefined) continue
    const promised = spec.plan.some((step) => step._tag === "Compare")
    yield* ofFlow(proof, flow, spec.population, promised ? ["amount_total"] : [])
  }
})
