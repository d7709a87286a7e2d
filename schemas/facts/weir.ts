/** What Weir tells of itself: `data` of events on `erp-out.<entity>.<type>`. */
import { Schema } from "effect"
import { nullable } from "./parts.ts"

const entity = Schema.String.annotate({ description: "code of the legal entity", examples: ["be01"] })

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
