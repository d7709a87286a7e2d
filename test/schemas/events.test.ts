import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, BigDecimal, Effect, Equal, Schema } from "effect"
import { CustomerUpserted } from "../../schemas/customer.ts"
import { EngagementActivated } from "../../schemas/engagement.ts"
import { BusinessKey, Day, TaxCode } from "../../schemas/ids.ts"
import { InvoiceRequested } from "../../schemas/invoice.ts"
import { format } from "../../schemas/money.ts"
import { PaymentReceived } from "../../schemas/payment.ts"
import { TimesheetApproved } from "../../schemas/timesheet.ts"
import { engagement, invoice, payment, timesheet } from "../streams/samples.ts"

const key = Arbitrary.schema(BusinessKey)
const day = Arbitrary.schema(Day)
const taxCode = Arbitrary.schema(TaxCode)
const hundredths = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))).pipe(
    Arbitrary.map((cents) => format(BigDecimal.make(BigInt(cents), 2), 2)),
  )
const add = (left: string, right: string): string =>
  format(BigDecimal.sum(BigDecimal.fromStringUnsafe(left), BigDecimal.fromStringUnsafe(right)), 2)
const unique = <A extends { readonly key: string }>(items: ReadonlyArray<A>): ReadonlyArray<A> => [
  ...new Map(items.map((item) => [item.key, item])).values(),
]

/** Payloads as they travel, with the parts that must fit together made to fit. */
const wires = {
  timesheet: Arbitrary.all({
    key,
    engagement: key,
    line: key,
    task: key,
    date: day,
    hours: hundredths(1, 2400),
    billable: Arbitrary.schema(Schema.Boolean),
  }).pipe(Arbitrary.map((data) => ({ ...data, consultant: "c01@be01.example.test", description: "Work" }))),
  engagement: Arbitrary.all({
    key,
    customer: key,
    startDate: day,
    lines: Arbitrary.array(
      Arbitrary.all({ key, quantity: hundredths(0, 90_000), unitPrice: hundredths(-500, 900_000), taxCode }),
      { minLength: 1, maxLength: 6 },
    ),
  }).pipe(Arbitrary.map((data) => {
    const lines = unique(data.lines.map((line) => ({ ...line, description: "Line" })))
    return {
      ...data,
      name: "Engagement",
      kind: "milestones",
      currency: "EUR",
      lines,
      tasks: [{ key: "t", name: "Task", line: lines[0]?.key }],
      milestones: [{ key: "m", name: "Milestone", line: lines[0]?.key, fraction: "0.4" }],
    }
  })),
  invoice: Arbitrary.all({
    key,
    customer: key,
    invoiceDate: day,
    lines: Arbitrary.array(Arbitrary.all({ key, unitPrice: hundredths(-500, 900_000), taxCode }), {
      minLength: 1,
      maxLength: 6,
    }),
    tax: hundredths(0, 5_000),
  }).pipe(Arbitrary.map(({ tax, ...data }) => {
    const lines = unique(data.lines.map((line) => ({ ...line, description: "Line", quantity: "1" })))
    const untaxed = lines.reduce((sum, line) => add(sum, line.unitPrice), "0.00")
    return { ...data, currency: "EUR", lines, totals: { untaxed, tax, total: add(untaxed, tax) } }
  })),
  payment: Arbitrary.all({
    key,
    customer: key,
    amount: hundredths(1, 90_000_000),
    date: day,
    invoices: Arbitrary.array(key, { maxLength: 5 }),
  }).pipe(
    Arbitrary.map((data) => ({ ...data, invoices: [...new Set(data.invoices)], currency: "EUR", method: "card" })),
  ),
}

const survives = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownSync(schema)
  const encode = Schema.encodeSync(schema)
  return (value: A): boolean => Equal.equals(decode(encode(value)), value)
}

const property = <A>(values: Arbitrary.Arbitrary<A>, holds: (value: A) => boolean) =>
  Effect.gen(function* () {
    const result = yield* Arbitrary.checkEffect(values, holds, { runs: 100, seed: 1 })
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
  })

const decoded = <A, I, W>(schema: Schema.Codec<A, I>, wire: Arbitrary.Arbitrary<W>) =>
  Arbitrary.map(wire, Schema.decodeUnknownSync(schema))

describe("what travels comes back the same", () => {
  it.effect("customer.upserted", () => property(Arbitrary.schema(CustomerUpserted), survives(CustomerUpserted)))
  it.effect("engagement.activated", () =>
    property(decoded(EngagementActivated, wires.engagement), survives(EngagementActivated)))
  it.effect("timesheet.approved", () =>
    property(decoded(TimesheetApproved, wires.timesheet), survives(TimesheetApproved)))
  it.effect("invoice.requested", () => property(decoded(InvoiceRequested, wires.invoice), survives(InvoiceRequested)))
  it.effect("payment.received", () => property(decoded(PaymentReceived, wires.payment), survives(PaymentReceived)))
})

describe("what contradicts itself is refused with the place and the reason", () => {
  const refuses = <A, I>(schema: Schema.Codec<A, I>, wire: unknown, reason: RegExp) =>
    assert.throws(() => Schema.decodeUnknownSync(schema)(wire), reason)

  it("an engagement whose parts do not fit together", () => {
    const line = engagement.lines[0]
    refuses(EngagementActivated, { ...engagement, lines: [] }, /lines/)
    refuses(EngagementActivated, { ...engagement, lines: [line, line] }, /has the key senior twice/)
    refuses(
      EngagementActivated,
      { ...engagement, tasks: [{ key: "t", name: "T", line: "nobody" }] },
      /which is no line/,
    )
    refuses(EngagementActivated, { ...engagement, endDate: "2026-01-01" }, /must not be before startDate/)
    const milestone = { key: "a", name: "A", line: "senior", fraction: "0.6" }
    refuses(
      EngagementActivated,
      { ...engagement, milestones: [milestone, { ...milestone, key: "b" }] },
      /of senior add up to more than 1/,
    )
    const many = Array.from({ length: 201 }, (_, index) => ({ ...line, key: `l${index}` }))
    refuses(EngagementActivated, { ...engagement, lines: many, tasks: [], milestones: [] }, /lines/)
  })

  it("an invoice whose totals do not add up", () => {
    const { totals } = invoice
    refuses(InvoiceRequested, { ...invoice, totals: { ...totals, total: "1234.57" } }, /must be untaxed plus tax/)
    refuses(
      InvoiceRequested,
      { ...invoice, totals: { ...totals, untaxed: "1000.00", total: "1191.54" } },
      /is not what the lines add up to/,
    )
    refuses(
      InvoiceRequested,
      { ...invoice, totals: { ...totals, tax: "191.541", total: "1103.651" } },
      /has more decimals than EUR/,
    )
    refuses(InvoiceRequested, { ...invoice, dueDate: "2026-10-01" }, /must not be before invoiceDate/)
    const { engagement: _, ...loose } = invoice
    refuses(InvoiceRequested, loose, /must be there when a line names an engagementLine/)
  })

  it("an invoice rounded per line is as good as one rounded once", () => {
    const line = { key: "1", description: "A", quantity: "0.12", unitPrice: "10.20", taxCode: "S21" }
    const lines = [line, { ...line, key: "2" }]
    for (const untaxed of ["2.44", "2.45"]) {
      const { engagement: _, ...loose } = invoice
      const wire = { ...loose, lines, totals: { untaxed, tax: "0.00", total: untaxed } }
      assert.strictEqual(Schema.decodeUnknownSync(InvoiceRequested)(wire).lines.length, 2)
    }
  })

  it("a timesheet without hours, with too many, or with hours as a float", () => {
    for (const hours of ["0", "0.00", "24.01", "-25", 7.5]) refuses(TimesheetApproved, { ...timesheet, hours }, /hours/)
  })

  it("a payment of nothing, in broken cents, or for one invoice twice", () => {
    refuses(PaymentReceived, { ...payment, amount: "0" }, /amount/)
    refuses(PaymentReceived, { ...payment, amount: "10.005" }, /has more decimals than EUR/)
    refuses(PaymentReceived, { ...payment, currency: "JPY", amount: "10.5" }, /has more decimals than JPY/)
    refuses(PaymentReceived, { ...payment, invoices: ["INV-1", "INV-1"] }, /has INV-1 twice/)
  })

  it("a key that could not be a part of an external id", () => {
    for (const bad of ["", "a.b", "a b", "-a", "é", "x".repeat(65)]) {
      refuses(CustomerUpserted, { key: bad, name: "A", kind: "company", address: { country: "BE" } }, /key/)
    }
  })
})
