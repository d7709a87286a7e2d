/** What goes wrong during a surge, and when: a file for `weir surge --faults`. */
import { Duration, Schema } from "effect"
import { Span } from "./Span.ts"

const at = { at: Span.annotate({ description: "Since the first event was published at pace" }) }
const lasting = { for: Span.annotate({ description: "How long it lasts" }) }

/** Servers that are gone or silent for a while. */
const Outage = Schema.Struct({
  ...at,
  ...lasting,
  /**
   * - `…-away`: stopped in order, and started again on the same data
   * - `…-frozen`: connections stay open and nobody answers
   * - `odoo-database-away`: Odoo runs and has lost its PostgreSQL
   * - `odoo-key-refused`: it refuses the API key
   */
  fault: Schema.Literals([
    "odoo-away",
    "odoo-frozen",
    "odoo-database-away",
    "odoo-key-refused",
    "database-away",
    "database-frozen",
    "broker-away",
    "broker-frozen",
    "weir-frozen",
  ]),
})

/** Every call to Odoo costs `factor` times as much. */
const Slow = Schema.Struct({
  ...at,
  ...lasting,
  fault: Schema.Literal("odoo-slow"),
  factor: Schema.Finite.check(Schema.isGreaterThan(0)),
})

/** Some of Odoo's answers go wrong. */
const Answers = Schema.Struct({
  ...at,
  ...lasting,
  /**
   * - `odoo-loses-answers`: it commits, and the connection breaks
   * - `odoo-contention`: two transactions have met
   */
  fault: Schema.Literals(["odoo-loses-answers", "odoo-contention"]),
  /** Part of the calls. */
  share: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
})

/** `kill -9`, and started again: at once, or after `for`. */
const Crash = Schema.Struct({
  ...at,
  fault: Schema.Literals(["weir-killed", "broker-crashed", "database-crashed"]),
  for: Schema.optionalKey(Span),
})

export const Fault = Schema.Union([Outage, Slow, Answers, Crash])
export type Fault = typeof Fault.Type

export const FaultSchedule = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String),
  faults: Schema.Array(Fault).check(Schema.isMaxLength(200)),
})

/** In a few words: `odoo-slow ×2 for 20s`. */
export const inWords = (fault: Fault): string => {
  const how = "factor" in fault ? ` ×${fault.factor}` : "share" in fault ? ` ${fault.share * 100} %` : ""
  return `${fault.fault}${how}${fault.for === undefined ? "" : ` for ${Duration.format(fault.for)}`}`
}
