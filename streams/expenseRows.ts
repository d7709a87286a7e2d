/**
 * The records of an expense: the expense itself, the receipt that books what an employee advanced, and the line on which the
 * customer is charged. All amounts but the receipt's own are in the company's currency.
 */
import { BigDecimal } from "effect"
import type { ExpenseApproved } from "../schemas/expense.ts"
import { format, scaleOf } from "../schemas/money.ts"
import type { Refusal, Row } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { many2one } from "../src/odoo/CompanyCalls.ts"
import { recordsIn } from "./billability.ts"
import { lateFor } from "./closing.ts"
import { accountOf, currencyOf, id, isRefusal, journalOf, purchaseTaxOf, taxOf } from "./codes.ts"
import { expenseProduct } from "./products.ts"

export type Approved = Write<ExpenseApproved>

const own = ({ company, key }: Write<unknown>, part?: string): string =>
  externalId(company.entity, "expenses", key, part)

/** In the company's currency. */
export const companyAmount = (
  { data: { amount, companyAmount, currency }, company }: Approved,
): BigDecimal.BigDecimal => currency === company.currency ? amount : companyAmount ?? amount

export const money = ({ company }: Approved, amount: BigDecimal.BigDecimal): string =>
  format(amount, scaleOf(company.currency))

export const isAdvanced = ({ data }: Approved): boolean => data.paidBy === "employee"

/** The cost goes to the engagement's analytic account. None: it is the company's own. */
const distributionOf = ({ references }: Approved): string => {
  const analytic = references[0]?.links["analytic"]
  return analytic === undefined ? "" : JSON.stringify({ [analytic]: 100 })
}

/** Account and taxes of the cost, or what the configuration lacks. */
const bookingOf = ({ company, data }: Approved): { readonly account: string; readonly taxes: string } | Refusal => {
  const account = accountOf(company, `expense-${data.category}`)
  if (isRefusal(account)) return account
  const taxes = data.taxCode === undefined ? "" : purchaseTaxOf(company, data.taxCode)
  return isRefusal(taxes) ? taxes : { account, taxes }
}

const isUnmapped = (booking: ReturnType<typeof bookingOf>): booking is Refusal => "code" in booking

/** Why it cannot be booked, or not be charged, by what is known without a call. */
export const obstacle = (write: Approved): Refusal | undefined => {
  const { company, consulted, data } = write
  if (data.engagement !== undefined) {
    const late = lateFor(data.engagement, consulted?.[0], data.date)
    if (late !== undefined) return late
  }
  if (data.currency !== company.currency && data.companyAmount === undefined) {
    return {
      code: "EVENT-INVALID",
      detail: `companyAmount: must be there, ${company.entity} keeps its books in ${company.currency}`,
    }
  }
  const booking = bookingOf(write)
  if (isUnmapped(booking)) return booking
  const journal = isAdvanced(write) ? journalOf(company, "purchase") : ""
  if (isRefusal(journal)) return journal
  const tax = data.rebill === undefined ? "" : taxOf(company, data.rebill.taxCode)
  return isRefusal(tax) ? tax : undefined
}

/** What Odoo must say of the cost before anything is booked. */
export const promise = (write: Approved) => ({
  total_amount: companyAmount(write),
  ...(write.data.tax !== undefined && { tax_amount: write.data.tax }),
})

export const expenseRow = (write: Approved): Row | Refusal => {
  const { company, data, ids } = write
  const booking = bookingOf(write)
  if (isUnmapped(booking)) return booking
  return {
    externalId: own(write),
    values: {
      name: data.description,
      "employee_id/.id": id(ids["employee"]!),
      "product_id/id": expenseProduct,
      total_amount_currency: format(data.amount, scaleOf(data.currency)),
      "currency_id/id": currencyOf(data.currency),
      total_amount: money(write, companyAmount(write)),
      date: data.date,
      payment_mode: isAdvanced(write) ? "own_account" : "company_account",
      "company_id/.id": id(company.id),
      "account_id/.id": booking.account,
      "tax_ids/.id": booking.taxes,
      analytic_distribution: distributionOf(write),
      description: data.key,
    },
  }
}

/** What Odoo's wizard would make: one line, whose amount contains the tax because it belongs to an expense. */
export const receiptRow = (write: Approved): ReadonlyArray<Row> | Refusal => {
  if (!isAdvanced(write)) return []
  const { company, data, ids } = write
  const booking = bookingOf(write)
  const journal = journalOf(company, "purchase")
  const contact = many2one(recordsIn(write, "employeeContact")[0]?.["work_contact_id"])
  if (isUnmapped(booking)) return booking
  if (isRefusal(journal)) return journal
  if (contact === undefined) {
    return { code: "MASTER-DATA-MISSING", detail: `${data.consultant} has no work contact in Odoo to pay back to` }
  }
  return [{
    externalId: own(write, "receipt"),
    values: {
      move_type: "in_receipt",
      "partner_id/.id": id(contact),
      "journal_id/.id": journal,
      "currency_id/id": currencyOf(company.currency),
      invoice_date: data.date,
      date: data.date,
      ref: data.key,
      "expense_ids/.id": id(ids["expense"]!),
    },
    lines: {
      field: "invoice_line_ids",
      rows: [{
        externalId: own(write, "receipt-line"),
        values: {
          "product_id/id": expenseProduct,
          name: data.description,
          quantity: "1",
          price_unit: money(write, companyAmount(write)),
          "account_id/.id": booking.account,
          "tax_ids/.id": booking.taxes,
          "expense_id/.id": id(ids["expense"]!),
          analytic_distribution: distributionOf(write),
        },
      }],
    },
  }]
}

export const rebillRow = (write: Approved): ReadonlyArray<Row> | Refusal => {
  const { company, data: { description, rebill }, references } = write
  if (rebill === undefined) return []
  const tax = taxOf(company, rebill.taxCode)
  if (isRefusal(tax)) return tax
  return [{
    externalId: own(write, "rebill"),
    values: {
      "order_id/.id": id(references[0]!.id),
      "product_id/id": expenseProduct,
      name: description,
      product_uom_qty: "1",
      price_unit: BigDecimal.format(rebill.price),
      "tax_ids/.id": tax,
    },
  }]
}
