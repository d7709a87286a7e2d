/** What several facts have in common. Facts are JSON as it stands: amounts and quantities are decimal text. */
import { Schema } from "effect"

export const text = (description: string) => Schema.String.annotate({ description })
export const nullable = (description: string) => Schema.NullOr(Schema.String).annotate({ description })
export const nullableId = (description: string) =>
  Schema.NullOr(Schema.Int).annotate({ description: `${description}, database id in Odoo` })

export const number = nullable("Odoo's number")
export const accountingDate = nullable("day on which Odoo booked it")
export const currency = Schema.String.annotate({ description: "ISO 4217", examples: ["EUR"] })
export const amount = (description: string) => Schema.String.annotate({ description, examples: ["1210.00"] })
export const quantity = (description: string) => Schema.String.annotate({ description, examples: ["7.50"] })
export const day = (description: string) => Schema.String.annotate({ description, examples: ["2026-11-30"] })
/** Business keys of what a fact is about. */
export const engagement = text("engagement code")
export const requestedBy = text("who asked for it")
export const statusVersion = Schema.NullOr(Schema.Int).annotate({
  description: "version of the table that says what a status means",
})
