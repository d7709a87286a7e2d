/** What sources say about a period: kept by the flow `totals` as facts, which are read here. */
import { Schema } from "effect"
import type { Mapping } from "../ledger/Ledger.ts"

/** Name of the flow that keeps them. */
export const PERIOD_TOTALS = "totals"

/** A fact's text: how many events, and control totals by name, `EUR amount_total`. */
export const SourceTotals = Schema.Struct({
  events: Schema.Int,
  amounts: Schema.Record(Schema.String, Schema.String),
})
export type SourceTotals = typeof SourceTotals.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(SourceTotals))

export const totalsIn = (mapping: Mapping | null): SourceTotals | null => {
  const found = mapping === null ? undefined : decode(mapping.externalId)
  return found?._tag === "Some" ? found.value : null
}

export const textOf = Schema.encodeSync(Schema.fromJsonString(SourceTotals))
