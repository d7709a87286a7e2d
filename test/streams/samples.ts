/** One payload per event type, as it travels, and the company they are written to. */
import type { CustomerUpserted } from "../../schemas/customer.ts"
import type { EngagementActivated } from "../../schemas/engagement.ts"
import type { InvoiceRequested } from "../../schemas/invoice.ts"
import type { PaymentReceived } from "../../schemas/payment.ts"
import type { TimesheetApproved } from "../../schemas/timesheet.ts"
import type { Company } from "../../src/odoo/Company.ts"

export const company: Company = {
  entity: "be01",
  database: "main",
  id: 3,
  currency: "EUR",
  journals: { sales: 13, bank: 18 },
  taxes: { S21: 9, S6: 14 },
}

export const customer: typeof CustomerUpserted.Encoded = {
  key: "CUS-0042",
  name: "Delft Marine BV",
  kind: "company",
  vat: "BE0477472701",
  email: "accounts@delft-marine.example",
  phone: "+32 2 123 45 67",
  address: { street: "Kaai 1", city: "Brussel", zip: "1000", country: "BE" },
}

export const engagement = {
  key: "ENG-7",
  customer: "CUS-0042",
  legalEntity: "be01",
  contract: "SOW-31",
  name: "Fleet planning",
  kind: "time-and-materials",
  currency: "EUR",
  startDate: "2026-10-01",
  endDate: "2026-12-31",
  billing: { rhythm: "monthly" },
  lines: [
    { key: "senior", description: "Senior consultant", quantity: "160", unitPrice: "125.50", taxCode: "S21" },
    { key: "setup", description: "Setup", quantity: "1", unitPrice: "5000", taxCode: "S6", kind: "milestones" },
  ],
  tasks: [{ key: "design", name: "Design", line: "senior" }, { key: "steering", name: "Steering" }],
  milestones: [{ key: "go-live", name: "Go live", line: "setup", fraction: "0.4", due: "2026-11-30" }],
} as const satisfies typeof EngagementActivated.Encoded

export const timesheet: typeof TimesheetApproved.Encoded = {
  key: "T-1",
  engagement: "ENG-7",
  line: "senior",
  task: "design",
  consultant: "c01@be01.example.test",
  date: "2026-10-05",
  hours: "7.25",
  description: "Design of the fleet model",
  billable: true,
}

export const invoice: typeof InvoiceRequested.Encoded = {
  key: "INV-1",
  customer: "CUS-0042",
  engagement: "ENG-7",
  invoiceDate: "2026-10-31",
  dueDate: "2026-11-30",
  currency: "EUR",
  lines: [
    {
      key: "1",
      description: "Senior",
      quantity: "7.25",
      unitPrice: "125.50",
      taxCode: "S21",
      engagementLine: "senior",
    },
    { key: "2", description: "Travel", quantity: "1", unitPrice: "2.23", taxCode: "S21" },
  ],
  totals: { untaxed: "912.11", tax: "191.54", total: "1103.65" },
}

export const payment: typeof PaymentReceived.Encoded = {
  key: "PAY-1",
  customer: "CUS-0042",
  amount: "1103.65",
  currency: "EUR",
  date: "2026-11-03",
  invoices: ["INV-1", "INV-2"],
  method: "transfer",
}
