/**
 * What Weir tells of itself and of what people change in Odoo: `data` of events on `erp-out.<entity>.<type>`. What single
 * flows tell of what they wrote is in their files.
 */
import { Schema } from "effect"

const entity = Schema.String.annotate({ description: "code of the legal entity", examples: ["be01"] })
const nullable = (description: string) => Schema.NullOr(Schema.String).annotate({ description })

const exception = {
  entity,
  flow: Schema.String.annotate({ description: "flow of the event that is held", examples: ["timesheets"] }),
  key: Schema.String.annotate({ description: "business key of the event", examples: ["T-0000123"] }),
  code: Schema.String.annotate({ description: "why, a code of docs/exceptions.md", examples: ["NOT-BILLABLE"] }),
} as const

/** `exception.raised`: once per cause. Nothing of the payload; `causationid` is the event that is held. */
export const ExceptionRaised = Schema.Struct(exception).annotate({
  identifier: "ExceptionRaised",
  description: "An event could not be brought into Odoo and waits for people",
})

/** `exception.resolved` */
export const ExceptionResolved = Schema.Struct({
  ...exception,
  how: Schema.Literals(["applied", "superseded", "dismissed"]).annotate({
    description: "it was written; a newer version stood already; a person gave it up",
  }),
}).annotate({ identifier: "ExceptionResolved", description: "An exception is none any more" })

/** `mode.changed` */
export const ModeChanged = Schema.Struct({
  entity,
  from: Schema.String,
  to: Schema.String,
  actor: Schema.String.annotate({ description: "a person, or weir" }),
  reason: Schema.String,
  override: Schema.Boolean.annotate({ description: "a person decided it" }),
  until: nullable("until when a person's decision counts"),
}).annotate({ identifier: "ModeChanged", description: "What an entity may do changed" })

/** `invoice.posted` and what follows: by the flow that posted it, or seen in Odoo. */
export const InvoiceFact = Schema.Struct({
  invoice: nullable("business key; null for one that a person entered"),
  engagement: Schema.optionalKey(Schema.String.annotate({ description: "of one that the flow posted" })),
  invoiceId: Schema.optionalKey(Schema.Int.annotate({ description: "database id in Odoo" })),
  number: nullable("Odoo's number"),
  reference: Schema.optionalKey(nullable("Odoo's reference")),
  invoiceDate: nullable("day of the document"),
  accountingDate: nullable("day on which Odoo booked it"),
  currency: Schema.String,
  untaxed: Schema.String,
  tax: Schema.String,
  total: Schema.String,
  residual: Schema.optionalKey(Schema.String.annotate({ description: "what is still open" })),
  status: Schema.optionalKey(nullable("what it is now")),
  statusVersion: Schema.optionalKey(
    Schema.NullOr(Schema.Int).annotate({ description: "version of the table that says what a status means" }),
  ),
}).annotate({ identifier: "InvoiceFact", description: "An invoice changed" })
