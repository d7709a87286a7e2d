/** Codes and keys that more than one event family uses. */
import { Schema } from "effect"
import { personal } from "./classification.ts"

/**
 * Code of a legal entity, one `res.company` in Odoo: `be01`. It is a token of NATS subjects and a part of external ids,
 * hence lower-case letters, digits and dashes only.
 */
export const EntityCode = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{1,15}$/u, { message: "must be 2 to 16 of a-z, 0-9 and -, a letter first" }),
).annotate({ identifier: "EntityCode", description: "code of a legal entity", examples: ["be01"] })
export type EntityCode = typeof EntityCode.Type

/**
 * The source's own key of a business object (a customer number, an engagement code, a timesheet line id). It orders
 * events and becomes a part of Odoo's external id.
 */
export const BusinessKey = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/u, {
    message: "must be 1 to 64 of A-Z, a-z, 0-9, _ and -, a letter or digit first",
  }),
).annotate({ identifier: "BusinessKey", description: "the source's key of a business object", examples: ["CUS-0042"] })
export type BusinessKey = typeof BusinessKey.Type

/** A calendar day, `YYYY-MM-DD` (ISO 8601). */
export const Day = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/u, { message: "must be a day, YYYY-MM-DD" }),
).annotate({ identifier: "Day", description: "calendar day, ISO 8601", examples: ["2026-10-31"] })
export type Day = typeof Day.Type

/** A line of text that people read in Odoo: a name, a description. People write into it what they like, hence `personal`. */
export const Label = personal(
  Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256)).annotate({ identifier: "Label" }),
)

/** The source's code of a sales tax, mapped per legal entity to one of Odoo's taxes: `S21`. */
export const TaxCode = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/u, {
    message: "must be 1 to 32 of A-Z, a-z, 0-9, _, . and -, a letter or digit first",
  }),
).annotate({ identifier: "TaxCode", description: "the source's code of a sales tax", examples: ["S21"] })
export type TaxCode = typeof TaxCode.Type

/** The source's code of an account in the books, mapped per legal entity to one of Odoo's accounts: `accrued-income`. */
export const AccountCode = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/u, {
    message: "must be 1 to 64 of A-Z, a-z, 0-9, _, . and -, a letter or digit first",
  }),
).annotate({ identifier: "AccountCode", description: "the source's code of an account", examples: ["accrued-income"] })
export type AccountCode = typeof AccountCode.Type

/** A journal by its role in the entity's configuration: `sales`, `misc`. */
export const JournalRole = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/u, { message: "must be 1 to 32 of a-z, 0-9 and -, a letter first" }),
).annotate({ identifier: "JournalRole", description: "role of a journal", examples: ["sales"] })
export type JournalRole = typeof JournalRole.Type

/** The first of `keys` that occurs twice; undefined when each occurs once. */
export const repeated = (keys: ReadonlyArray<string>): string | undefined =>
  keys.find((key, index) => keys.indexOf(key) !== index)
