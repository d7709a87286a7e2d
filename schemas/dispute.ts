/** Disputes about invoices: what is contested is marked, and nothing more of its engagement is billed meanwhile. */
import { Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey, repeated } from "./ids.ts"

/** Most invoices of one dispute. */
export const DISPUTE_MAX_INVOICES = 100

const invoices = Schema.Array(BusinessKey).check(Schema.isMaxLength(DISPUTE_MAX_INVOICES)).annotate({
  description: "numbers of the invoice requests that are contested",
})
const key = BusinessKey.annotate({ description: "id of the dispute", examples: ["DIS-0009"] })
const engagement = Schema.optionalKey(
  BusinessKey.annotate({ description: "engagement whose billing is held", examples: ["ENG-0007"] }),
)

const issueIn = ({ invoices }: { readonly invoices: ReadonlyArray<string> }) => {
  const twice = repeated(invoices)
  return twice === undefined ? undefined : { path: ["invoices"], issue: `has ${twice} twice` }
}

/** `dispute.opened`: the invoices are marked as blocked; while it lasts no invoice of the engagement is made. */
export const DisputeOpened = Schema.Struct({
  key,
  engagement,
  invoices,
  reason: Schema.optionalKey(personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(500)))),
}).check(Schema.makeFilter(issueIn)).annotate({
  identifier: "DisputeOpened",
  description: "A customer contests invoices",
})
export type DisputeOpened = typeof DisputeOpened.Type

/** `dispute.lifted`: the invoices go on as they stand, and the engagement is billed again unless another dispute is open. */
export const DisputeLifted = Schema.Struct({
  key,
  engagement,
  invoices,
  othersOpen: Schema.optionalKey(Schema.Boolean.annotate({
    description: "true: the engagement has other open disputes, its billing stays on hold",
  })),
}).check(Schema.makeFilter(issueIn)).annotate({ identifier: "DisputeLifted", description: "A dispute is settled" })
export type DisputeLifted = typeof DisputeLifted.Type
