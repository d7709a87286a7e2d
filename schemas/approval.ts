/** Decisions of people about what the flows want to do. */
import { Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey } from "./ids.ts"

/** Who did something: a work e-mail or a user name of the source. Compared without regard to case. */
export const Person = personal(Schema.String.check(
  Schema.isPattern(/^[^\s]{1,254}$/u, { message: "must be a user name or an e-mail address" }),
)).annotate({ identifier: "Person", description: "user name or work e-mail", examples: ["jane@example.test"] })
export type Person = typeof Person.Type

/** `approval.granted` and `approval.rejected`: somebody has decided. The decision with the largest sequence stands. */
export const Approval = Schema.Struct({
  flow: Schema.String.check(
    Schema.isPattern(/^[a-z][a-z-]{0,31}$/u, { message: "must be the name of a flow" }),
  ).annotate({ description: "flow of what was decided about", examples: ["credit-notes"] }),
  key: BusinessKey.annotate({ description: "its business key", examples: ["CN-0007"] }),
  by: Person.annotate({ description: "who decided" }),
  note: Schema.optionalKey(personal(Schema.String.check(Schema.isMaxLength(500))).annotate({ description: "why" })),
}).annotate({ identifier: "Approval", description: "Somebody approved or rejected something" })
export type Approval = typeof Approval.Type
