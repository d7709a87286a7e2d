/**
 * What others are told of customer documents that change in Odoo, whoever changes them: a clerk who posts, cancels or takes
 * back, a payment that is entered, matched or bounces. Of what a flow posts it tells itself, with more detail.
 *
 *     posting      draft ─► posted ─► withdrawn (draft again), cancelled
 *     settlement   open ─► in part ─► as a whole ─► reopened
 */
import { BigDecimal } from "effect"
import type { FactData, FactType } from "../schemas/facts.ts"
import { type Currency, formatOdooFloat, scaleOf } from "../schemas/money.ts"
import type { Aspect, Changed, Feed, Tells } from "../src/flow/Feed.ts"
import { type Open, statusOf, type StatusTable } from "../src/flow/Status.ts"
import type { Json } from "../src/odoo/Odoo.ts"
import type { OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { fact, textOf } from "./facts.ts"

/** Types of facts that one schema fits: `invoice.…`. */
type Facts<D> = { [T in FactType]: FactData<T> extends D ? D extends FactData<T> ? T : never : never }[FactType]

/** A kind of document. `D` is what every fact of it says. */
export interface DocumentKind<D> {
  /** The flow's name. */
  readonly name: string
  readonly moveType: "out_invoice" | "out_refund"
  readonly statuses: ReadonlyArray<StatusTable<string>>
  /** Fields beside those of every document. */
  readonly fields: ReadonlyArray<string>
  readonly posted: Facts<D>
  readonly withdrawn: Facts<D>
  readonly cancelled: Facts<D>
  /** By status of the table: what is settled, in part or as a whole. */
  readonly settled: { readonly [status: string]: Facts<D> }
  readonly reopened: Facts<D>
  data(changed: Changed, common: CommonData): D
  readonly facts: ReadonlyArray<{ readonly type: Facts<D>; readonly when: string }>
}

const currencyIn = (record: OdooRecord): Currency => (record["currency_id"] as readonly [number, Currency])[1]

const amountIn = (record: OdooRecord, field: string): string =>
  formatOdooFloat(Number(record[field]), scaleOf(currencyIn(record)))

const openOf = (record: OdooRecord): Open => {
  const [total, residual] = ["amount_total", "amount_residual"].map((field) =>
    BigDecimal.fromStringUnsafe(amountIn(record, field))
  )
  if (BigDecimal.isZero(residual!)) return "none"
  return BigDecimal.equals(total!, residual!) ? "all" : "some"
}

/** What a document of Odoo's is now, by the newest of its tables. */
export const standingOf = (statuses: ReadonlyArray<StatusTable<string>>, record: OdooRecord) =>
  statusOf(statuses, {
    state: String(record["state"]),
    paymentState: String(record["payment_state"]),
    open: openOf(record),
  })

const commonOf = (statuses: ReadonlyArray<StatusTable<string>>, { record }: Changed) => {
  const standing = standingOf(statuses, record)
  return {
    number: textOf(record["name"]),
    reference: textOf(record["ref"]),
    accountingDate: textOf(record["date"]),
    currency: currencyIn(record),
    untaxed: amountIn(record, "amount_untaxed"),
    tax: amountIn(record, "amount_tax"),
    total: amountIn(record, "amount_total"),
    residual: amountIn(record, "amount_residual"),
    status: standing?.status ?? null,
    statusVersion: standing?.version ?? null,
  }
}

/** What the facts of every document say. */
export type CommonData = ReturnType<typeof commonOf>

const postedAt = (total: string): string => `posted ${total}`
const postingOf = (name: string): string => `${name}.posting`

/** What a flow tells when it has posted one: the same that the feed would see. */
export const tellsPosted = (name: string, record: number, total: string): Tells => ({
  aspect: postingOf(name),
  record,
  content: postedAt(total),
})

const UNPAID = "unpaid"
const OPEN: ReadonlyArray<Json> = ["not_paid", "partial", "in_payment", "blocked"]

export const documentFeed = <D>(kind: DocumentKind<D>): Feed => {
  const { name, statuses } = kind
  const statusIn = (record: OdooRecord) => standingOf(statuses, record)?.status
  const told = (type: Facts<D>, changed: Changed) =>
    fact(type, kind.data(changed, commonOf(statuses, changed)) as FactData<typeof type>)

  const posting: Aspect = {
    name: postingOf(name),
    toldByFlow: true,
    content: (record) => {
      const status = statusIn(record)
      if (status === undefined || status === "draft" || status === "cancelled") return status
      return postedAt(amountIn(record, "amount_total"))
    },
    fact: (changed) => {
      const { after, before, isNew } = changed
      if (after === "draft") return before?.startsWith("posted") === true ? told(kind.withdrawn, changed) : undefined
      if (after === "cancelled") return before === null ? undefined : told(kind.cancelled, changed)
      return before === null && !isNew ? undefined : told(kind.posted, changed)
    },
  }

  const settlement: Aspect = {
    name: `${name}.payment`,
    content: (record) => {
      const status = statusIn(record)
      if (status === undefined || !(status in kind.settled)) return status === undefined ? undefined : UNPAID
      return openOf(record) === "some" ? `${status} ${amountIn(record, "amount_residual")}` : status
    },
    fact: (changed) => {
      const { after, before, isNew, record } = changed
      // What is no document any more is told as that.
      if (record["state"] !== "posted") return undefined
      if (after === UNPAID) return before === null && isNew ? undefined : told(kind.reopened, changed)
      const [status = ""] = after.split(" ", 1)
      // Of one that was settled before the feed began only that it is settled in part is news.
      return before === null && !isNew && status === after ? undefined : told(kind.settled[status]!, changed)
    },
  }

  return {
    name,
    model: "account.move",
    domain: [["move_type", "=", kind.moveType]],
    open: ["|", ["state", "=", "draft"], "&", ["state", "=", "posted"], ["payment_state", "in", OPEN]],
    fields: [
      "name",
      "state",
      "payment_state",
      "ref",
      "invoice_date",
      "date",
      "currency_id",
      "amount_untaxed",
      "amount_tax",
      "amount_total",
      "amount_residual",
      ...kind.fields,
    ],
    aspects: [posting, settlement],
    statuses,
    facts: kind.facts,
  }
}
