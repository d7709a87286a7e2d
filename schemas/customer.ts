/** Customer accounts. The source owns the fields named here; Odoo owns all others (payment terms, accounts, tags). */
import { Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey, Label } from "./ids.ts"

const Line = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128))

/** A postal address. `country` decides how Odoo checks the VAT number. */
export const Address = Schema.Struct({
  street: Schema.optionalKey(personal(Line.annotate({ description: "street and number" }))),
  city: Schema.optionalKey(personal(Line)),
  zip: Schema.optionalKey(personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(16)))),
  country: Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/u, { message: "must be an ISO 3166-1 alpha-2 code" }))
    .annotate({ description: "ISO 3166-1 alpha-2 code", examples: ["BE"] }),
}).annotate({ identifier: "Address" })

/**
 * `customer.upserted`: the whole of what the source knows of a customer, after a change. A field that is left out stays
 * as it is in Odoo. The envelope's `sequence` counts the changes of one customer; an older one that arrives late is
 * superseded.
 */
export const CustomerUpserted = Schema.Struct({
  key: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  name: personal(
    Label.annotate({ description: "legal name, as it stands on invoices", examples: ["Delft Marine BV"] }),
  ),
  kind: Schema.Literals(["company", "person"]),
  vat: Schema.optionalKey(personal(
    Schema.String.check(
      Schema.isPattern(/^[A-Z]{2}[A-Z0-9]{2,14}$/u, {
        message: "must be a VAT number with its country prefix, without blanks",
      }),
    ).annotate({ description: "VAT number with country prefix; Odoo checks it", examples: ["BE0477472701"] }),
  )),
  email: Schema.optionalKey(personal(
    Schema.String.check(
      Schema.isMaxLength(254),
      Schema.isPattern(/^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,189}$/u, { message: "must be one e-mail address" }),
    ).annotate({ examples: ["accounts@delft-marine.example"] }),
  )),
  phone: Schema.optionalKey(personal(Schema.String.check(Schema.isMinLength(3), Schema.isMaxLength(32)))),
  address: Address,
  reference: Schema.optionalKey(personal(
    Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)).annotate({
      description: "what the customer calls itself at the source, shown as Odoo's reference; the key when left out",
    }),
  )),
}).annotate({ identifier: "CustomerUpserted", description: "A customer account was created or changed" })
export type CustomerUpserted = typeof CustomerUpserted.Type
