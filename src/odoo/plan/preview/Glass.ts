/** What a look at one company's records is made with: it reads, and nothing else. */
import { Effect } from "effect"
import { type CompanyCalls, companyCalls, type OdooRecord } from "../../CompanyCalls.ts"
import type { CallGate } from "../../CallGate.ts"
import type { Company } from "../../Company.ts"
import { type ExternalIds, externalIds, PAGE } from "../../ExternalIds.ts"
import { type FieldsOf, fieldsOf } from "../../Fields.ts"
import type { MasterData } from "../../MasterData.ts"
import type { Odoo, OdooError } from "../../Odoo.ts"
import type { Ask } from "../enrich.ts"
import type { Lane } from "../../../flow/Flow.ts"

export interface Glass {
  readonly company: Company
  readonly calls: CompanyCalls
  readonly master: MasterData["Service"]
  readonly externalIds: ExternalIds
  readonly fields: FieldsOf
  /** Asks a dependency beside Odoo. */
  readonly ask: Ask
  /** Fields of records by id, a page at a time; what is gone is not in the answer. */
  readonly read: (
    model: string,
    ids: ReadonlyArray<number>,
    fields: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<number, OdooRecord>, OdooError>
}

export const glass = (
  odoo: Odoo["Service"],
  gate: CallGate["Service"],
  master: MasterData["Service"],
  company: Company,
  lane: Lane,
  ask: Ask,
): Glass => {
  const calls = companyCalls(odoo, gate, company, lane)
  return {
    company,
    calls,
    master,
    ask,
    externalIds: externalIds(calls, `weir_${company.entity}.`),
    fields: fieldsOf(calls),
    read: Effect.fnUntraced(function* (model, ids, fields) {
      const found = new Map<number, OdooRecord>()
      const distinct = [...new Set(ids)]
      for (let from = 0; from < distinct.length; from += PAGE) {
        for (const [id, record] of yield* calls.read(model, distinct.slice(from, from + PAGE), fields)) {
          found.set(id, record)
        }
      }
      return found
    }),
  }
}
