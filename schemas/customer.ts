/** Customer accounts. The source owns the fields named here; Odoo owns all others (payment terms, accounts, tags). */
import { Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey, Label, repeated } from "./ids.ts"

/** Most contacts of one customer. */
export const CUSTOMER_MAX_CONTACTS = 100

const Line = personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128)))

/** A postal address. `country` decides how Odoo checks the VAT number. */
export const Address = Schema.Struct({
  street: Schema.optionalKey(Line.annotate({ description: "street and number" })),
  city: Schema.optionalKey(Line),
  zip: Schema.optionalKey(personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(16)))),
  country: Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/u, { message: "must be an ISO 3166-1 alpha-2 code" }))
    .annotate({ description: "ISO 3166-1 alpha-2 code", examples: ["BE"] }),
}).annotate({ identifier: "Address" })

const Email = personal(Schema.String.check(
  Schema.isMaxLength(254),
  Schema.isPattern(/^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,189}$/u, { message: "must be one e-mail address" }),
))
const Phone = personal(Schema.String.check(Schema.isMinLength(3), Schema.isMaxLength(32)))

/** A person or an address at the customer. A contact that is left out of a later version stays as it is. */
export const Contact = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the contact within the customer", examples: ["finance"] }),
  name: Label,
  use: Schema.optionalKey(
    Schema.Literals(["contact", "invoice", "delivery", "other"]).annotate({
      description: "what the address is for: `invoice` receives the invoices; `contact` when left out",
    }),
  ),
  function: Schema.optionalKey(Line.annotate({ description: "job title" })),
  email: Schema.optionalKey(Email),
  phone: Schema.optionalKey(Phone),
  former: Schema.optionalKey(Schema.Boolean.annotate({ description: "true: it is archived in Odoo" })),
}).annotate({ identifier: "Contact" })
export type Contact = typeof Contact.Type

/**
 * `customer.upserted`: the whole of what the source knows of a customer, after a change. A field that is left out stays
 * as it is in Odoo. The envelope's `sequence` counts the changes of one customer; an older one that arrives late is
 * superseded.
 */
export const CustomerUpserted = Schema.Struct({
  key: BusinessKey.annotate({ description: "customer number", examples: ["CUS-0042"] }),
  name: Label.annotate({ description: "legal name, as it stands on invoices", examples: ["Delft Marine BV"] }),
  kind: Schema.Literals(["company", "person"]),
  vat: Schema.optionalKey(
    personal(Schema.String.check(
      Schema.isPattern(/^[A-Z]{2}[A-Z0-9]{2,14}$/u, {
        message: "must be a VAT number with its country prefix, without blanks",
      }),
    )).annotate({ description: "VAT number with country prefix; Odoo checks it", examples: ["BE0477472701"] }),
  ),
  email: Schema.optionalKey(Email.annotate({ examples: ["accounts@delft-marine.example"] })),
  phone: Schema.optionalKey(Phone),
  address: Address,
  reference: Schema.optionalKey(
    personal(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))).annotate({
      description: "what the customer calls itself at the source, shown as Odoo's reference; the key when left out",
    }),
  ),
  contacts: Schema.optionalKey(Schema.Array(Contact).check(Schema.isMaxLength(CUSTOMER_MAX_CONTACTS))),
  odooPartner: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThan(0)).annotate({
      description: "database id of the partner in Odoo that this customer is: it is taken over instead of making one",
    }),
  ),
  distinct: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "true: people have checked that partners with the same VAT number or reference are somebody else",
    }),
  ),
}).check(Schema.makeFilter(({ contacts = [] }) => {
  const twice = repeated(contacts.map(({ key }) => key))
  return twice === undefined ? undefined : { path: ["contacts"], issue: `has the key ${twice} twice` }
})).annotate({ identifier: "CustomerUpserted", description: "A customer account was created or changed" })
export type CustomerUpserted = typeof CustomerUpserted.Type

/**
 * `customer.merged`: two customer numbers are one customer from now on. What was written for either stands on the one that
 * remains, and events that still name the other find it. The envelope's `sequence` counts the changes of `key`.
 */
export const CustomerMerged = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the customer that ends", examples: ["CUS-0043"] }),
  into: BusinessKey.annotate({ description: "number of the customer that remains", examples: ["CUS-0042"] }),
}).check(
  Schema.makeFilter(({ into, key }) =>
    into === key ? { path: ["into"], issue: "must be another customer" } : undefined
  ),
)
  .annotate({ identifier: "CustomerMerged", description: "Two customer accounts became one" })
export type CustomerMerged = typeof CustomerMerged.Type
