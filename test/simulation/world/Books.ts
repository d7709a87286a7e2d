/** What stands in Odoo against what the applied events say, record by record and cent by cent. */
import type { Rec } from "../../../fixtures/odoo/Model.ts"
import type { StandIn } from "../../../fixtures/odoo/StandIn.ts"
import type { Inspection } from "../../../src/ledger/MemoryLedger.ts"
import type { Fact } from "../plan/Fact.ts"
import type { Place } from "../plan/Place.ts"
import type { Knowledge } from "./Knowledge.ts"

const models = {
  customers: "res.partner",
  engagements: "sale.order",
  timesheets: "account.analytic.line",
  invoices: "account.move",
  payments: "account.payment",
} as const
type FlowName = keyof typeof models

const isFlow = (flow: string): flow is FlowName => flow in models

/** Odoo keeps six decimals. */
const micros = (minor: number): bigint => BigInt(minor) * 10_000n
const numeric = (record: Rec, field: string): bigint => {
  const value = record[field]
  return typeof value === "bigint" ? value : BigInt(Math.round(Number(value) * 1_000_000))
}

/** Ids of the records that are there before Weir does anything, by model. */
export const seeded = (standIn: StandIn): ReadonlyMap<string, ReadonlySet<number>> =>
  new Map([...standIn.store.tables].map(([model, { rows }]) => [model, new Set(rows.keys())]))

interface Applied {
  readonly fact: Fact
  readonly eventId: string
}

export interface BooksOptions {
  readonly standIn: StandIn
  readonly knowledge: Knowledge
  readonly places: ReadonlyArray<Place>
  readonly inspections: ReadonlyArray<Inspection>
  readonly before: ReadonlyMap<string, ReadonlySet<number>>
  /** Customers whose record an abandoned call has set back: an older version may stand there. */
  readonly overtaken: ReadonlySet<string>
}

export const booksIssues = (options: BooksOptions): ReadonlyArray<string> =>
  options.places.flatMap((place) => entityIssues(place, options))

const entityIssues = (
  { company, entity }: Place,
  { before, inspections, knowledge, overtaken, standIn }: BooksOptions,
): ReadonlyArray<string> => {
  const issues: Array<string> = []
  const inspection = inspections.find((one) => one.entity === entity)
  const applied = new Map<string, Array<Applied>>()
  for (const { record, state } of inspection?.events ?? []) {
    if (state !== "applied") continue
    const fact = knowledge.stored[record.streamSequence - 1]?.fact
    if (fact === undefined) continue
    const name = `${record.flow} ${record.key}`
    applied.set(name, [...applied.get(name) ?? [], { fact, eventId: record.eventId }])
  }
  const mappings = new Map(inspection?.mappings.map((one) => [`${one.flow} ${one.key}`, one.mapping]) ?? [])
  const paid = paymentsOf(applied)

  for (const [name, events] of applied) {
    const [flow = "", key = ""] = name.split(" ")
    if (!isFlow(flow)) continue
    const model = models[flow]
    const id = standIn.store.resolve(model, `weir_${entity}.${flow}_${key}`)
    const record = id === undefined ? undefined : standIn.store.tables.get(model)?.rows.get(id)
    const mapping = mappings.get(name)
    if (record === undefined) {
      issues.push(`${entity} ${name} is applied and not in Odoo`)
      continue
    }
    if (mapping?.id !== id) issues.push(`${entity} ${name} is ${model} ${id}, the ledger says ${mapping?.id}`)
    if (flow !== "customers" && events.length > 1) {
      issues.push(`${entity} ${name} is applied twice: ${events.map(({ eventId }) => eventId).join(", ")}`)
    }
    const newest = events.reduce((a, b) => (b.fact.version ?? 0) >= (a.fact.version ?? 0) ? b : a)
    if (flow === "customers" && overtaken.has(`${entity} ${key}`)) continue
    issues.push(...recordIssues(newest.fact, record, paid, standIn).map((issue) => `${entity} ${name}: ${issue}`))
  }
  issues.push(...strangers(entity, company, applied, before, standIn))
  return issues
}

/** Minor units that applied payments bring to each invoice. */
const paymentsOf = (applied: ReadonlyMap<string, ReadonlyArray<Applied>>): ReadonlyMap<string, number> => {
  const paid = new Map<string, number>()
  for (const events of applied.values()) {
    const effect = events[0]?.fact.effect
    if (effect?.of !== "payment") continue
    for (const invoice of effect.invoices) paid.set(invoice, (paid.get(invoice) ?? 0) + effect.amount)
  }
  return paid
}

/** What the customer still owes for an invoice: the open part of its receivable items. */
const dueOn = (move: number, { store }: StandIn): bigint => {
  const accounts = store.tables.get("account.account")!.rows
  return [...store.tables.get("account.move.line")!.rows.values()]
    .filter((line) =>
      line["move_id"] === move && accounts.get(Number(line["account_id"]))?.["account_type"] === "asset_receivable"
    )
    .reduce((sum, line) => sum + numeric(line, "amount_residual"), 0n)
}

const recordIssues = (
  fact: Fact,
  record: Rec,
  paid: ReadonlyMap<string, number>,
  standIn: StandIn,
): ReadonlyArray<string> => {
  const issues: Array<string> = []
  const expect = (field: string, wanted: string | bigint) => {
    const got = typeof wanted === "bigint" ? numeric(record, field) : String(record[field])
    if (got !== wanted) issues.push(`${field} is ${got}, not ${wanted}`)
  }
  const { effect } = fact
  switch (effect?.of) {
    case "customer":
      expect("name", effect.name)
      break
    case "engagement":
      expect("state", "sale")
      expect("amount_untaxed", micros(effect.untaxed))
      break
    case "timesheet":
      expect("unit_amount", BigInt(Math.round(Number(effect.hours) * 1_000_000)))
      break
    case "invoice": {
      const open = Math.max(0, effect.total - (paid.get(fact.key ?? "") ?? 0))
      expect("state", "posted")
      expect("amount_total", micros(effect.total))
      const due = dueOn(record.id, standIn)
      if (due !== micros(open)) issues.push(`${due} millionths are due, not ${micros(open)}`)
      break
    }
    case "payment": {
      const state = String(record["state"])
      if (state !== "paid" && state !== "in_process") issues.push(`state is ${state}, not posted`)
      expect("amount", micros(effect.amount))
      break
    }
    case undefined:
  }
  return issues
}

/** Records that no applied event explains: foreign, twice, or posted without leave. */
const strangers = (
  entity: string,
  company: number,
  applied: ReadonlyMap<string, ReadonlyArray<Applied>>,
  before: ReadonlyMap<string, ReadonlySet<number>>,
  standIn: StandIn,
): ReadonlyArray<string> => {
  const issues: Array<string> = []
  for (const [flow, model] of Object.entries(models)) {
    const externalIds = new Map([...standIn.store.externalIds.get(model) ?? []].map(([name, id]) => [id, name]))
    for (const record of standIn.store.tables.get(model)?.rows.values() ?? []) {
      if (before.get(model)?.has(record.id) === true) continue
      if (record["company_id"] !== company) continue
      // Odoo makes analytic lines of its own for what is posted on a project, and entries for payments.
      if (model === "account.analytic.line" && Number(record["move_line_id"] ?? 0) > 0) continue
      if (model === "account.move" && record["move_type"] !== "out_invoice") continue
      const externalId = externalIds.get(record.id)
      const prefix = `weir_${entity}.${flow}_`
      if (externalId?.startsWith(prefix) !== true) {
        issues.push(`${model} ${record.id} (${externalId ?? "no external id"}) is nobody's`)
        continue
      }
      const binding = ["posted", "paid", "in_process"].includes(String(record["state"]))
      if (binding && !applied.has(`${flow} ${externalId.slice(prefix.length)}`)) {
        issues.push(`${model} ${record.id} (${externalId}) is posted, but its event is not applied`)
      }
    }
  }
  return issues
}
