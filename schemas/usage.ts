/** Metered use: records as they come, what a period came to, and what it turned out to be. */
import { BigDecimal, Schema } from "effect"
import { BusinessKey, Label } from "./ids.ts"
import { Decimal } from "./money.ts"

/** A moment in UTC, seconds or finer. */
export const Instant = Schema.String.check(
  Schema.isPattern(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,9})?Z$/u,
    {
      message: "must be a moment in UTC, YYYY-MM-DDTHH:MM:SSZ",
    },
  ),
).annotate({ identifier: "Instant", description: "moment in UTC, ISO 8601", examples: ["2026-10-05T14:03:00Z"] })

/** A calendar month, `YYYY-MM`. */
export const Month = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])$/u, { message: "must be a month, YYYY-MM" }),
).annotate({ identifier: "Month", description: "calendar month", examples: ["2026-10"] })

const billed = {
  engagement: BusinessKey.annotate({ description: "engagement it belongs to", examples: ["ENG-0007"] }),
  line: BusinessKey.annotate({ description: "line of the engagement with the agreed price", examples: ["tokens"] }),
}

/**
 * `usage.recorded` version 2: something was used. Sent once per record; what was wrong is taken back by a record with a
 * negative quantity. Version 1 said `date`, the day, where version 2 says `at`, the moment.
 */
export const UsageRecorded = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the record", examples: ["U-0000123"] }),
  ...billed,
  at: Instant.annotate({ description: "when it was used; its month in UTC is the period" }),
  quantity: Decimal.check(
    Schema.makeFilter((quantity: BigDecimal.BigDecimal) => !BigDecimal.isZero(quantity) || "must not be zero"),
  ).annotate({ description: "in the line's unit, negative to take back", examples: [BigDecimal.make(125n, 2)] }),
}).annotate({ identifier: "UsageRecorded", description: "Something metered was used" })
export type UsageRecorded = typeof UsageRecorded.Type

/** What version 1 was: a day of use begins the day in version 2. */
export const usageRecordedFrom1 = (data: unknown): unknown => {
  if (typeof data !== "object" || data === null || !("date" in data)) return data
  const { date, ...rest } = data
  return { ...rest, at: `${String(date)}T00:00:00Z` }
}

/**
 * `usage.rolled-up`: what a period came to. Weir sends it to itself when it closes a period; a source that counts on its own
 * may send it instead of records.
 */
export const UsageRolledUp = Schema.Struct({
  ...billed,
  period: Month,
  quantity: Decimal.annotate({ description: "all of the period", examples: [BigDecimal.make(98750n, 2)] }),
  records: Schema.Int.annotate({ description: "how many records it is made of", examples: [1200] }),
  late: Schema.Int.annotate({ description: "of these, records of earlier periods that came too late", examples: [0] }),
}).annotate({ identifier: "UsageRolledUp", description: "A period of use was closed" })
export type UsageRolledUp = typeof UsageRolledUp.Type

/** `usage.trued-up`: what a closed period turned out to be. The difference is billed; said again, the last one counts. */
export const UsageTruedUp = Schema.Struct({
  ...billed,
  period: Month,
  quantity: Decimal.annotate({ description: "all of the period, not the difference" }),
  reason: Schema.optionalKey(Label),
}).annotate({ identifier: "UsageTruedUp", description: "The use of a closed period was settled" })
export type UsageTruedUp = typeof UsageTruedUp.Type
