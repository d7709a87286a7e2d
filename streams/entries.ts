/** Journal entries as rows, and their posting: for fees, write-offs, settlements, accruals. */
import { BigDecimal } from "effect"
import { format, scaleOf } from "../schemas/money.ts"
import { type Query, query, type Refusal, type Row, type Transition, transition } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { currencyOf, isRefusal, journalLock, journalOf } from "./codes.ts"

/** Role of the journal of entries. */
export const MISC = "misc"

export interface Item {
  readonly key: string
  readonly name: string
  /** `account.account` id as `load` takes it. */
  readonly account: string
  /** Signed: a credit is negative. */
  readonly amount: BigDecimal.BigDecimal
  /** External id of the partner. */
  readonly partner?: string
  /** JSON text of Odoo's distribution. */
  readonly analytic?: string
  /** The same amount in another currency, signed too. */
  readonly foreign?: { readonly currency: string; readonly amount: BigDecimal.BigDecimal }
}

export interface Entry {
  readonly externalId: string
  readonly date: string
  /** For people: which event it comes from. */
  readonly ref: string
  readonly journal?: string
  /** Currency of the items' amounts. Another one than the company's: Odoo books them at the rate of the day. */
  readonly currency: string
  /** External id of the entry that this one reverses. */
  readonly reverses?: string
  readonly items: ReadonlyArray<Item>
}

const ZERO = BigDecimal.make(0n, 0)

/** The entry as a row, or why the entity cannot book it. */
export const entryRow = ({ company }: Write<unknown>, entry: Entry): Row | Refusal => {
  const journal = journalOf(company, entry.journal ?? MISC)
  if (isRefusal(journal)) return journal
  const scale = scaleOf(entry.currency)
  const isForeign = entry.currency !== company.currency
  const hasForeign = entry.items.some(({ foreign }) => foreign !== undefined)
  const amounts = ({ amount, foreign }: Item): Row["values"] => {
    if (isForeign) return { "currency_id/id": currencyOf(entry.currency), amount_currency: format(amount, scale) }
    const isDebit = BigDecimal.isGreaterThan(amount, ZERO)
    return {
      debit: format(isDebit ? amount : ZERO, scale),
      credit: format(isDebit ? ZERO : BigDecimal.negate(amount), scale),
      ...(hasForeign && {
        "currency_id/id": currencyOf(foreign?.currency ?? entry.currency),
        amount_currency: format(foreign?.amount ?? amount, scaleOf(foreign?.currency ?? entry.currency)),
      }),
    }
  }
  return {
    externalId: entry.externalId,
    values: {
      move_type: "entry",
      date: entry.date,
      ref: entry.ref,
      "journal_id/.id": journal,
      ...(entry.reverses !== undefined && { "reversed_entry_id/id": entry.reverses }),
    },
    lines: {
      field: "line_ids",
      rows: entry.items.map((item) => ({
        externalId: `${entry.externalId}.item-${item.key}`,
        values: {
          name: item.name,
          "account_id/.id": item.account,
          "partner_id/id": item.partner ?? "",
          ...(item.analytic !== undefined && { analytic_distribution: item.analytic }),
          ...amounts(item),
        },
      })),
    },
  }
}

/** Entries of the event that are posted already, by an earlier try: `read.own.records`. */
export const ownEntries = <D extends { readonly key: string }>(): Query<D> =>
  query<D>({
    name: "own",
    model: "account.move",
    domain: ({ data }) => [["ref", "=like", `${data.key}%`], ["move_type", "=", "entry"], ["state", "=", "posted"]],
    fields: ["state"],
    externalIds: true,
    limit: 20,
  })

/** Posts the entry that step `of` has loaded. `date`: its own, and where it is in the event. */
export const postEntry = <D>(
  name: string,
  of: string,
  date: (data: D) => string,
  journal: (data: D) => string | undefined = () => undefined,
): Transition<D> =>
  transition({
    name,
    model: "account.move",
    of,
    method: "action_post",
    field: "state",
    from: ["draft"],
    to: ["posted"],
    posts: true,
    lock: ({ company, data }) => journalLock(company, journal(data) ?? MISC),
    period: { kind: "entry", field: "date", reference: "ref", date },
    fields: ["name", "date"],
  })
