/** What travels: a vendor, as procurement knows it. */
import { Schema } from "effect"
import { BusinessKey, Label } from "../../../schemas/ids.ts"

/** `vendor.upserted`: the whole of a vendor after a change. The envelope's `sequence` counts the changes. */
export const VendorUpserted = Schema.Struct({
  key: BusinessKey.annotate({ description: "vendor number", examples: ["VEN-17"] }),
  name: Label,
  country: Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/u, { message: "must be an ISO 3166-1 alpha-2 code" })),
  email: Schema.optionalKey(Schema.String.check(Schema.isMinLength(3), Schema.isMaxLength(254))),
}).annotate({ identifier: "VendorUpserted", description: "A vendor was created or changed" })
export type VendorUpserted = typeof VendorUpserted.Type
