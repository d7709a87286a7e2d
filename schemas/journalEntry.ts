/** Journal entries: accruals and reclassifications that the closing team asks for. */
import { BigDecimal, Schema } from "effect"
import { AccountCode, BusinessKey, Day, JournalRole, Label, repeated } from "./ids.ts"
import { Currency, Decimal, fits, PositiveDecimal } from "./money.ts"

/** Most items of one entry. */
export const ENTRY_MAX_ITEMS = 200

export const EntryItem = Schema.Struct({
  key: BusinessKey.annotate({ description: "key of the item within the entry", examples: ["1"] }),
  account: AccountCode,
  debit: Schema.optionalKey(PositiveDecimal.annotate({ description: "one of debit and credit" })),
  credit: Schema.optionalKey(PositiveDecimal),
  description: Schema.optionalKey(Label.annotate({ description: "the entry's when left out" })),
  customer: Schema.optionalKey(BusinessKey.annotate({ description: "customer number, for receivables" })),
  engagement: Schema.optionalKey(BusinessKey.annotate({ description: "engagement whose project bears it" })),
  foreign: Schema.optionalKey(
    Schema.Struct({
      currency: Currency,
      amount: Decimal.annotate({ description: "signed: a credit is negative" }),
    }).annotate({ description: "the same amount in a foreign currency" }),
  ),
}).annotate({ identifier: "EntryItem" })
export type EntryItem = typeof EntryItem.Type

const ZERO = BigDecimal.make(0n, 0)
const amountOf = ({ credit = ZERO, debit = ZERO }: EntryItem) => BigDecimal.subtract(debit, credit)

/**
 * `journal-entry.requested`: book these items, in the company's currency. With `reverseOn` the opposite is booked on that
 * day, which makes an accrual of it.
 */
export const JournalEntryRequested = Schema.Struct({
  key: BusinessKey.annotate({ description: "number of the entry", examples: ["JE-2026-10-04"] }),
  date: Day.annotate({ description: "accounting date" }),
  reverseOn: Schema.optionalKey(Day.annotate({ description: "accounting date of the reversal" })),
  journal: Schema.optionalKey(JournalRole.annotate({ description: "role of the journal; `misc` when left out" })),
  currency: Currency.annotate({ description: "the company's" }),
  description: Label,
  items: Schema.Array(EntryItem).check(Schema.isMinLength(2), Schema.isMaxLength(ENTRY_MAX_ITEMS)),
}).check(Schema.makeFilter((entry) => {
  const { currency, date, items, reverseOn } = entry
  const twice = repeated(items.map(({ key }) => key))
  if (twice !== undefined) return { path: ["items"], issue: `has the key ${twice} twice` }
  for (const { credit, debit, foreign, key } of items) {
    if ((debit === undefined) === (credit === undefined)) {
      return { path: ["items"], issue: `${key} must have either a debit or a credit` }
    }
    if (!fits(debit ?? credit ?? ZERO, currency)) {
      return { path: ["items"], issue: `${key} has more decimals than ${currency}` }
    }
    if (foreign !== undefined && !fits(foreign.amount, foreign.currency)) {
      return { path: ["items"], issue: `${key} has more decimals than ${foreign.currency}` }
    }
    if (foreign !== undefined && BigDecimal.sign(foreign.amount) !== (debit === undefined ? -1 : 1)) {
      return {
        path: ["items"],
        issue: `the foreign amount of ${key} must be negative for a credit, positive for a debit`,
      }
    }
  }
  const off = BigDecimal.sumAll(items.map(amountOf))
  if (!BigDecimal.isZero(off)) {
    return { path: ["items"], issue: `are not balanced: debit less credit is ${BigDecimal.format(off)}` }
  }
  return reverseOn !== undefined && reverseOn <= date ? { path: ["reverseOn"], issue: "must be after date" } : undefined
})).annotate({ identifier: "JournalEntryRequested", description: "The closing team asks for a journal entry" })
export type JournalEntryRequested = typeof JournalEntryRequested.Type
