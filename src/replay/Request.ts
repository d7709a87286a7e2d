/** What is to be replayed, and what is done about what is found. */
import { Schema } from "effect"
import { BusinessKey } from "../../schemas/ids.ts"
import { INLET_CAPACITY } from "../actor/Inlet.ts"

/** A subject of the incoming stream, `*` for one word, `>` at the end for all that follow: `erp.be01.invoice.>`. */
export const SubjectPattern = Schema.String.check(
  Schema.isPattern(/^erp(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.>)?$/u, {
    message: "must be a subject of events, for example erp.be01.invoice.>",
  }),
  Schema.isMaxLength(200),
).annotate({ identifier: "SubjectPattern", description: "subject of events", examples: ["erp.be01.invoice.>"] })

const Sequence = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Millis = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Everything that is given must fit. */
export const Selection = Schema.Struct({
  subject: SubjectPattern,
  /** Names of flows; left out: all that the subject lets through. */
  flows: Schema.optionalKey(Schema.NonEmptyArray(Schema.String)),
  key: Schema.optionalKey(BusinessKey.annotate({ description: "business key" })),
  correlationId: Schema.optionalKey(Schema.NonEmptyString),
  /** When the broker stored it, epoch milliseconds: `fromMillis` inclusive, `toMillis` exclusive. */
  fromMillis: Schema.optionalKey(Millis),
  toMillis: Schema.optionalKey(Millis),
  /** Positions in the stream, both inclusive. */
  fromSequence: Schema.optionalKey(Sequence),
  toSequence: Schema.optionalKey(Sequence),
})
export type Selection = typeof Selection.Type

/** What is done about events whose records stand with other values. */
export const OnChanged = Schema.Literals(["skip", "update-draft", "credit-and-rebill"])
export type OnChanged = typeof OnChanged.Type

/** Where the events come from: the stream, or what was handed in with the run. */
export const Source = Schema.Literals(["stream", "upload"])

/** Most events of a run in flight at once. */
export const MAX_CONCURRENCY = INLET_CAPACITY
export const DEFAULT_CONCURRENCY = 25
/** Most events a second; 0: no limit but Odoo's. */
export const DEFAULT_RATE = 20

export const ReplayRequest = Schema.Struct({
  selection: Selection,
  source: Source,
  onChanged: OnChanged,
  /** Events a second while it is applied, on average; 0: as fast as Odoo takes them behind everything else. */
  ratePerSecond: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })),
  concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_CONCURRENCY })),
  /** Findings of which nothing would be done are kept too, not only counted. */
  keepAll: Schema.Boolean,
  /** What Weir has not made is looked for among the records of other systems; nothing of it can be applied. */
  alike: Schema.optionalKey(Schema.Boolean),
})
export type ReplayRequest = typeof ReplayRequest.Type

/** The part of a pattern that is one entity's; null: none. */
export const narrowed = (pattern: string, entity: string): string | null => {
  const tokens = pattern.split(".")
  const [, second] = tokens
  if (second === undefined || second === ">") return `erp.${entity}.>`
  if (second !== "*" && second !== entity) return null
  return ["erp", entity, ...tokens.length === 2 ? [">"] : tokens.slice(2)].join(".")
}
