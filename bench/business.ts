/** What the benchmarks of the treatment of Odoo publish: one legal entity's customers, engagements, time, invoices, payments. */
import type { EngagementActivated } from "../schemas/engagement.ts"
import type { CustomerUpserted } from "../schemas/customer.ts"
import type { InvoiceRequested } from "../schemas/invoice.ts"
import type { PaymentReceived } from "../schemas/payment.ts"
import type { TimesheetApproved } from "../schemas/timesheet.ts"
import type { SeedEmployee } from "../fixtures/odoo/seed.ts"
import type { Publication } from "../src/broker/Broker.ts"
import { toMessage } from "../src/broker/cloudevents.ts"

export interface BusinessOptions {
  /** Code of the legal entity. */
  readonly entity: string
  readonly company: number
  readonly engagements: number
  /** Customers take turns with the engagements. */
  readonly customers: number
}

const CONSULTANTS = 20
const DAY = "2026-10-31"
/** Of every invoice; with 21 % of tax. */
const TOTALS = { untaxed: "251.00", tax: "52.71", total: "303.71" }

const emailOf = (entity: string, n: number): string => `c${n % CONSULTANTS}@${entity}.example.test`

export class Business {
  readonly options: BusinessOptions

  constructor(options: BusinessOptions) {
    this.options = options
  }

  get employees(): ReadonlyArray<SeedEmployee> {
    const { company, entity } = this.options
    return Array.from({ length: CONSULTANTS }, (_, n) => ({
      name: `Consultant ${n}`,
      work_email: emailOf(entity, n),
      company,
    }))
  }

  /** Customers and engagements. */
  masters(): ReadonlyArray<Publication> {
    const { customers, engagements } = this.options
    return [
      ...Array.from({ length: customers }, (_, n) => {
        const customer: typeof CustomerUpserted.Encoded = {
          key: this.#customer(n),
          name: `Customer ${n}`,
          reference: `${this.options.entity}-${this.#customer(n)}`,
          kind: "company",
          email: `accounts${n}@example.test`,
          address: { street: "Kaai 1", city: "Brussel", zip: "1000", country: "BE" },
        }
        return this.#event("customer.upserted", customer.key, customer, 1)
      }),
      ...Array.from({ length: engagements }, (_, n) => {
        const engagement: typeof EngagementActivated.Encoded = {
          key: `ENG-${n}`,
          customer: this.#customer(n),
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
        return this.#event("engagement.activated", engagement.key, engagement)
      }),
    ]
  }

  /** Approved time lines of numbers `from` to `to`, scattered over the engagements as they are in life. */
  time(from: number, to: number): ReadonlyArray<Publication> {
    return Array.from({ length: to - from }, (_, offset) => {
      const n = from + offset
      const scattered = Math.imul(n, 2_654_435_761) >>> 0
      const line: typeof TimesheetApproved.Encoded = {
        key: `T-${n}`,
        engagement: `ENG-${scattered % this.options.engagements}`,
        line: "senior",
        task: "design",
        consultant: emailOf(this.options.entity, scattered >>> 8),
        date: `2026-10-${String(1 + n % 28).padStart(2, "0")}`,
        hours: `${1 + n % 8}.25`,
        description: "Work",
        billable: true,
      }
      return this.#event("timesheet.approved", line.key, line)
    })
  }

  /** Invoices of numbers `from` to `to`, of the engagements in turn. */
  invoices(from: number, to: number): ReadonlyArray<Publication> {
    return Array.from({ length: to - from }, (_, offset) => {
      const n = from + offset
      const invoice: typeof InvoiceRequested.Encoded = {
        key: `INV-${n}`,
        customer: this.#customer(n % this.options.engagements),
        engagement: `ENG-${n % this.options.engagements}`,
        invoiceDate: DAY,
        currency: "EUR",
        lines: [{
          key: "1",
          description: "Senior",
          quantity: "2",
          unitPrice: "125.50",
          taxCode: "S21",
          engagementLine: "senior",
        }],
        totals: TOTALS,
      }
      return this.#event("invoice.requested", invoice.key, invoice)
    })
  }

  /** The payment of invoice `n`. */
  payment(n: number): Publication {
    const payment: typeof PaymentReceived.Encoded = {
      key: `PAY-${n}`,
      customer: this.#customer(n % this.options.engagements),
      amount: TOTALS.total,
      currency: "EUR",
      date: DAY,
      invoices: [`INV-${n}`],
      method: "transfer",
    }
    return this.#event("payment.received", payment.key, payment)
  }

  #customer(n: number): string {
    return `CUS-${n % this.options.customers}`
  }

  #event(type: string, key: string, data: unknown, sequence?: number): Publication {
    const { entity } = this.options
    return toMessage({
      specversion: "1.0",
      id: `${entity}/${type}/${key}`,
      source: "bench/psa",
      type,
      partitionkey: key,
      ...(sequence === undefined ? {} : { sequence }),
      data,
    }, `erp.${entity}.${type}`)
  }
}
