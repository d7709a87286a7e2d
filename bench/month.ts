/** The work that the benchmarks bring in: legal entities of one country, few engagements each, many approved time lines. */
import type { SeedCompany, SeedEmployee } from "../fixtures/odoo/seed.ts"
import type { EngagementActivated } from "../schemas/engagement.ts"
import type { CustomerUpserted } from "../schemas/customer.ts"
import type { InvoiceRequested } from "../schemas/invoice.ts"
import type { TimesheetApproved } from "../schemas/timesheet.ts"
import type { Publication } from "../src/broker/Broker.ts"
import { toMessage } from "../src/broker/cloudevents.ts"

export interface MonthOptions {
  readonly entities: number
  /** Per entity. Batches that share an engagement follow one another, so fewer mean less at once. */
  readonly engagements: number
  readonly consultants: number
}

export const defaults: MonthOptions = { entities: 4, engagements: 60, consultants: 25 }

export const entityOf = (index: number): string => `be${String(index + 1).padStart(2, "0")}`

const emailOf = (entity: string, consultant: number): string => `c${consultant + 1}@${entity}.example.test`

/** What the stand-in begins with: company 1, 2, … is the entity of that number. */
export const companiesOf = ({ entities }: MonthOptions): ReadonlyArray<SeedCompany> =>
  Array.from({ length: entities }, (_, index) => ({
    name: `Entity ${entityOf(index)}`,
    country: "BE",
    currency: "EUR",
    taxes: { "21%": 21 },
  }))

export const employeesOf = ({ consultants, entities }: MonthOptions): ReadonlyArray<SeedEmployee> =>
  Array.from({ length: entities * consultants }, (_, n) => {
    const entity = n % entities
    const consultant = Math.floor(n / entities)
    return {
      name: `Consultant ${consultant + 1}`,
      work_email: emailOf(entityOf(entity), consultant),
      company: entity + 1,
    }
  })

/** `weir.json` for them. */
export const configurationOf = ({ entities }: MonthOptions, odooUrl: string) => ({
  databases: { main: { url: odooUrl, database: "odoo", key: { env: "ODOO_API_KEY" }, workers: 4, share: 1 } },
  entities: Object.fromEntries(Array.from({ length: entities }, (_, index) => [entityOf(index), {
    database: "main",
    company: index + 1,
    currency: "EUR",
    journals: { sales: "INV", bank: "BNK1" },
    taxes: { S21: "21%" },
  }])),
})

const publication = (entity: string, type: string, key: string, data: unknown, sequence?: number): Publication =>
  toMessage({
    specversion: "1.0",
    id: key,
    source: "bench/psa",
    type,
    time: "2026-10-31T16:00:00.000Z",
    correlationid: `month-end-${entity}`,
    partitionkey: key,
    ...(sequence === undefined ? {} : { sequence }),
    data,
  }, `erp.${entity}.${type}`)

/** Customers and engagements that the time lines refer to. */
export const masterEvents = (month: MonthOptions): ReadonlyArray<Publication> =>
  Array.from({ length: month.entities }, (_, index) => entityOf(index)).flatMap((entity) => {
    const customer: typeof CustomerUpserted.Encoded = {
      key: `CUS-${entity}`,
      name: `Customer of ${entity}`,
      kind: "company",
      email: `accounts@${entity}.example`,
      address: { street: "Kaai 1", city: "Brussel", zip: "1000", country: "BE" },
    }
    return [
      publication(entity, "customer.upserted", customer.key, customer, 1),
      ...Array.from({ length: month.engagements }, (_, n) => {
        const engagement: typeof EngagementActivated.Encoded = {
          key: `ENG-${entity}-${n}`,
          customer: customer.key,
          name: `Engagement ${n}`,
          kind: "time-and-materials",
          currency: "EUR",
          contract: "SOW-1",
          startDate: "2026-10-01",
          billing: { rhythm: "weekly" },
          endDate: "2026-12-31",
          lines: [{ key: "senior", description: "Senior", quantity: "160", unitPrice: "125.50", taxCode: "S21" }],
          tasks: [{ key: "design", name: "Design", line: "senior" }],
          milestones: [],
        }
        return publication(entity, "engagement.activated", engagement.key, engagement)
      }),
    ]
  })

/** Time lines `from` to `to`, the entities taking turns; every number gives the same line in every run. */
export const timeEvents = (month: MonthOptions, from: number, to: number): ReadonlyArray<Publication> =>
  Array.from({ length: to - from }, (_, offset) => {
    const n = from + offset
    const entity = entityOf(n % month.entities)
    // A multiplicative hash: lines of one engagement are scattered over the month as they are in life.
    const scattered = Math.imul(n, 2_654_435_761) >>> 0
    const timesheet: typeof TimesheetApproved.Encoded = {
      key: `T-${entity}-${n}`,
      engagement: `ENG-${entity}-${scattered % month.engagements}`,
      line: "senior",
      task: "design",
      consultant: emailOf(entity, (scattered >>> 8) % month.consultants),
      date: `2026-10-${String(1 + n % 28).padStart(2, "0")}`,
      hours: `${1 + n % 8}.25`,
      description: `Work on engagement ${scattered % month.engagements}`,
      billable: n % 10 !== 0,
    }
    return publication(entity, "timesheet.approved", timesheet.key, timesheet)
  })

/** Invoices `from` to `to` of the entities' customers, the entities taking turns: 251.00 and 21 % of tax each. */
export const invoiceEvents = (month: MonthOptions, from: number, to: number): ReadonlyArray<Publication> =>
  Array.from({ length: to - from }, (_, offset) => {
    const n = from + offset
    const entity = entityOf(n % month.entities)
    const invoice: typeof InvoiceRequested.Encoded = {
      key: `INV-${n}`,
      customer: `CUS-${entity}`,
      invoiceDate: "2026-10-31",
      currency: "EUR",
      lines: [{ key: "1", description: "Senior", quantity: "2", unitPrice: "125.50", taxCode: "S21" }],
      totals: { untaxed: "251.00", tax: "52.71", total: "303.71" },
    }
    return publication(entity, "invoice.requested", invoice.key, invoice)
  })

const CUSTOMERS = 400

/**
 * Versions `from` to `to` of customers of the first entity, `share` of them of one, the others evenly; each customer's
 * number and name say which version it is.
 */
export const customerVersions = (share: number, from: number, to: number): ReadonlyArray<Publication> => {
  const entity = entityOf(0)
  const every = 20
  const ofOne = Math.round(share * every)
  return Array.from({ length: to - from }, (_, offset) => {
    const n = from + offset
    const [round, place] = [Math.floor(n / every), n % every]
    const others = round * (every - ofOne) + place - ofOne
    const [customer, version] = place < ofOne
      ? [0, round * ofOne + place + 1]
      : [1 + others % CUSTOMERS, Math.floor(others / CUSTOMERS) + 1]
    const data: typeof CustomerUpserted.Encoded = {
      key: `CUS-${customer}`,
      name: `Version ${version}`,
      kind: "company",
      address: { country: "BE" },
    }
    return publication(entity, "customer.upserted", `${data.key}-${version}`, data, version)
  })
}
