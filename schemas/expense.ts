/** Approved expenses: costs that an employee advanced or the company paid, for a customer or for itself. */
import { BigDecimal, Schema } from "effect"
import { personal } from "./classification.ts"
import { BusinessKey, Day, Label, TaxCode } from "./ids.ts"
import { Currency, Decimal, fits, PositiveDecimal } from "./money.ts"

/** The source's code of a kind of cost, mapped per legal entity to an account: `travel`. */
export const ExpenseCategory = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/u, { message: "must be 1 to 32 of a-z, 0-9 and -, a letter first" }),
).annotate({ identifier: "ExpenseCategory", description: "the source's code of a kind of cost", examples: ["travel"] })

/** What the customer is charged. At cost: the amount without tax. */
export const Rebill = Schema.Struct({
  price: PositiveDecimal.annotate({
    description: "without tax, in the engagement's currency, at most 2 decimals",
    examples: [BigDecimal.make(10000n, 2)],
  }),
  taxCode: TaxCode,
}).annotate({ identifier: "Rebill" })

/**
 * `expense.approved`: one approved expense. Sent once; a correction is an expense of its own. It is booked as cost, on the
 * engagement's analytic account when it names one; with `rebill` the engagement's order gets a line that is ready to
 * invoice.
 */
export const ExpenseApproved = Schema.Struct({
  key: BusinessKey.annotate({ description: "id of the expense", examples: ["EXP-00031"] }),
  consultant: personal(Schema.String.check(
    Schema.isMaxLength(254),
    Schema.isPattern(/^[^\s@]{1,64}@[^\s@]{1,189}$/u, { message: "must be a work e-mail address" }),
  )).annotate({ description: "work e-mail of the employee in Odoo", examples: ["c01@be01.example.test"] }),
  engagement: Schema.optionalKey(
    BusinessKey.annotate({ description: "engagement whose cost it is", examples: ["ENG-0007"] }),
  ),
  date: Day.annotate({ description: "day on the receipt" }),
  description: Label,
  category: ExpenseCategory,
  paidBy: Schema.Literals(["employee", "company"]).annotate({
    description: "employee: to be paid back to them; company: paid with its card or account",
  }),
  amount: PositiveDecimal.annotate({
    description: "with tax, as on the receipt",
    examples: [BigDecimal.make(12101n, 2)],
  }),
  currency: Currency,
  companyAmount: Schema.optionalKey(
    PositiveDecimal.annotate({
      description: "the same in the company's currency; required when the receipt has another",
    }),
  ),
  taxCode: Schema.optionalKey(
    TaxCode.annotate({ description: "purchase tax contained in the amount; none when left out", examples: ["P21"] }),
  ),
  tax: Schema.optionalKey(
    Decimal.annotate({
      description: "tax in the amount, in the company's currency, which Odoo's must equal; not compared when left out",
    }),
  ),
  rebill: Schema.optionalKey(Rebill),
}).check(Schema.makeFilter((expense) => {
  if (!fits(expense.amount, expense.currency)) {
    return { path: ["amount"], issue: `has more decimals than ${expense.currency}` }
  }
  if (expense.rebill !== undefined && expense.engagement === undefined) {
    return { path: ["engagement"], issue: "must be there when the expense is rebilled" }
  }
  return expense.tax !== undefined && expense.taxCode === undefined
    ? { path: ["taxCode"], issue: "must be there when tax is" }
    : undefined
})).annotate({ identifier: "ExpenseApproved", description: "An expense was approved" })
export type ExpenseApproved = typeof ExpenseApproved.Type
