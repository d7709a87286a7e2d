/**
 * Money never changes by a rounding unit from the event to Odoo and back: invoices with random lines in currencies of 0, 2
 * and 3 decimals, each paid in random parts that come to its total, and what stands in Odoo afterwards.
 */
import { assert } from "@effect/vitest"
import { BigDecimal, Effect, type Layer } from "effect"
import { Random } from "../../fixtures/generator/Random.ts"
import { configurationOf, DATABASE, type Place, places } from "../../fixtures/replay/Place.ts"
import { type Currency, format, fromOdooFloat, scaleOf } from "../../schemas/money.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { running } from "../simulation/World.ts"

type Ports = Odoo | Broker | Ledger

/** The company's own is EUR. */
const currencies: ReadonlyArray<Currency> = ["JPY", "KRW", "EUR", "USD", "KWD", "TND"]

interface Bill {
  readonly key: string
  readonly currency: Currency
  readonly lines: ReadonlyArray<{ readonly quantity: string; readonly unitPrice: string }>
  readonly total: string
  readonly parts: ReadonlyArray<string>
}

const decimal = BigDecimal.fromStringUnsafe

/** Minor units as digits of the currency: 1005 at scale 2 is `10.05`. */
const ofMinor = (minor: bigint, scale: number): string => format(BigDecimal.make(minor, scale), scale)

const billOf = (random: Random, at: number): Bill => {
  const currency = currencies[at % currencies.length]!
  const scale = scaleOf(currency)
  // Prices may have more decimals than the currency; up to a thousand million of it.
  const lines = Array.from({ length: random.int(1, 6) }, () => ({
    quantity: ofMinor(BigInt(random.int(1, 99_999)), 2),
    unitPrice: ofMinor(BigInt(random.int(1, 10 ** random.int(3, 9))), scale + random.int(0, 2)),
  }))
  const exact = BigDecimal.sumAll(
    lines.map((line) => BigDecimal.multiply(decimal(line.quantity), decimal(line.unitPrice))),
  )
  const total = format(exact, scale)
  let left = BigDecimal.scale(decimal(total), scale).value
  const parts: Array<string> = []
  while (left > 0n && parts.length < 3) {
    const part = left === 1n ? 1n : 1n + BigInt(Math.floor(Number(left - 1n) * (random.int(0, 999_999) / 1_000_000)))
    parts.push(ofMinor(part, scale))
    left -= part
  }
  if (left > 0n) parts.push(ofMinor(left, scale))
  return { key: `M-${at}`, currency, lines, total, parts }
}

const eventsOf = (place: Place, bills: ReadonlyArray<Bill>) => {
  const event = (type: string, id: string, data: object, sequence?: number) =>
    toMessage({
      specversion: "1.0",
      id,
      source: "money",
      type,
      ...(sequence !== undefined && { sequence }),
      data,
    }, `erp.${place.entity}.${type}`)
  return [
    event("customer.upserted", "C-1", {
      key: "C-1",
      name: "Customer",
      kind: "company",
      reference: `${place.entity}-C-1`,
      address: { country: place.country },
    }, 1),
    ...currencies.filter((currency) => currency !== place.currency).map((currency, at) =>
      event("exchange-rate.published", currency, { currency, date: "2026-11-01", rate: `${at * 37 + 1}.0613` }, 1)
    ),
    ...bills.map(({ currency, key, lines, total }) =>
      event("invoice.requested", key, {
        key,
        customer: "C-1",
        invoiceDate: "2026-11-10",
        dueDate: "2026-12-10",
        currency,
        lines: lines.map((line, at) => ({ key: String(at), description: "Line", taxCode: "ZERO", ...line })),
        totals: { untaxed: total, tax: "0", total },
      })
    ),
    ...bills.flatMap(({ currency, key, parts }) =>
      parts.map((amount, at) =>
        event("payment.received", `${key}-${at}`, {
          key: `${key}-${at}`,
          customer: "C-1",
          amount,
          currency,
          date: "2026-11-16",
          invoices: [key],
          method: "transfer",
        })
      )
    ),
  ]
}

export const moneyKept = Effect.fnUntraced(function* (
  { count, moment, patience, run, seed }: {
    readonly seed: number
    readonly run: string
    readonly count: number
    readonly moment: Effect.Effect<void>
    readonly patience: number
  },
): Effect.fn.Return<void, unknown, Ports> {
  const odoo = yield* Odoo
  const place = (yield* places(odoo, run)).find(({ label }) => label === "EUR")!
  const random = new Random(seed)
  const bills = Array.from({ length: count }, (_, at) => billOf(random, at))
  const messages = eventsOf(place, bills)
  yield* Effect.gen(function* () {
    yield* Broker.use((broker) => broker.publish(messages))
    for (let waited = 0;; waited++) {
      const tallies = yield* Ledger.use((ledger) => ledger.tallies(place.entity))
      const done = tallies.reduce((sum, { applied, parked }) => sum + applied + parked, 0)
      if (done === messages.length) break
      if (waited > patience) throw new Error(`seed ${seed}: ${done} of ${messages.length} events are done`)
      yield* moment
    }
    const parked = yield* Ledger.use((ledger) => ledger.exceptions({ entity: place.entity, limit: 5 }))
    assert.deepStrictEqual(parked.map(({ code, detail, key }) => `${key} ${code} ${detail}`), [], `seed ${seed}`)
    const search = (model: string, domain: Json, fields: ReadonlyArray<string>) =>
      odoo.call({
        database: DATABASE,
        model,
        method: "search_read",
        args: { domain, fields, order: "id" },
        context: { allowed_company_ids: [place.company] },
      }).pipe(Effect.map((answer) => answer as ReadonlyArray<{ readonly [field: string]: Json }>))
    const ids = (yield* odoo.call({
      database: DATABASE,
      model: "account.move",
      method: "load",
      args: { fields: ["id"], data: bills.map(({ key }) => [`weir_${place.entity}.invoices_${key}`]) },
      context: { allowed_company_ids: [place.company], mode: "update", noupdate: true },
    })) as { readonly ids: ReadonlyArray<number> }
    const moves = yield* search("account.move", [["id", "in", ids.ids]], [
      "payment_reference",
      "amount_untaxed",
      "amount_total",
      "amount_residual",
      "amount_residual_signed",
      "payment_state",
    ])
    for (const { currency, key, parts, total } of bills) {
      const scale = scaleOf(currency)
      const exact = (value: Json | undefined): string => format(fromOdooFloat(Number(value), scale), scale)
      const move = moves.find((one) => one["payment_reference"] === key)
      assert.deepStrictEqual(
        [
          exact(move?.["amount_untaxed"]),
          exact(move?.["amount_total"]),
          exact(move?.["amount_residual"]),
          move?.["payment_state"],
        ],
        [total, total, exact(0), "paid"],
        `seed ${seed}: ${key} in ${currency}`,
      )
      // Whatever the rates were, nothing is left in the company's books either.
      assert.strictEqual(Number(move?.["amount_residual_signed"]), 0, `seed ${seed}: ${key}`)
      const payments = yield* search(
        "account.payment",
        [["payment_reference", "in", parts.map((_, at) => `${key}-${at}`)], ["reconciled_invoice_ids", "in", ids.ids]],
        ["amount"],
      )
      assert.deepStrictEqual(payments.map(({ amount }) => exact(amount)), parts, `seed ${seed}: ${key} in ${currency}`)
    }
  }).pipe(Effect.provide(running({ configuration: configurationOf([place]) }) as Layer.Layer<never, unknown, Ports>))
})
