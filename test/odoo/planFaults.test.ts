/** The plan engine on the stand-in Odoo, with everything going wrong that repeating a plan must survive. */
import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type Fault, Faults, raise } from "../../fixtures/odoo/Faults.ts"
import { measured } from "../../fixtures/odoo/Latency.ts"
import { StandIn } from "../../fixtures/odoo/StandIn.ts"
import * as StandInOdoo from "../../fixtures/odoo/StandInOdoo.ts"
import type { EventSpec } from "../../src/flow/Flow.ts"
import { compare, load, reconcile, type Step, transition } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import type { Company } from "../../src/odoo/Company.ts"
import { companyCalls } from "../../src/odoo/CompanyCalls.ts"
import * as MasterData from "../../src/odoo/MasterData.ts"
import { Odoo, type OdooError } from "../../src/odoo/Odoo.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"

interface Data {
  readonly key: string
  readonly invoice: number
}

const specOf = (record: string, plan: ReadonlyArray<Step<Data>>): EventSpec<unknown> => {
  const spec: EventSpec<Data> = {
    type: "thing.made",
    version: 1,
    schema: Schema.Any,
    key: ({ key }) => key,
    parents: () => [],
    references: () => [],
    versions: "once",
    plan,
    record,
  }
  return spec as EventSpec<never> as EventSpec<unknown>
}

const partners = specOf("partner", [load({
  name: "partner",
  model: "res.partner",
  mode: "upsert",
  rows: ({ data }) => ({ externalId: `weir_be01.customers_${data.key}`, values: { name: `Customer ${data.key}` } }),
})])

const invoices = specOf("invoice", [
  load({
    name: "invoice",
    model: "account.move",
    mode: "create",
    rows: ({ company, data }) => ({
      externalId: `weir_be01.invoices_${data.key}`,
      values: {
        move_type: "out_invoice",
        "partner_id/id": `weir_be01.customers_${data.key}`,
        invoice_date: "2026-10-31",
        "journal_id/.id": company.journals["sales"]!,
      },
      lines: {
        field: "invoice_line_ids",
        rows: [1, 2].map((n) => ({
          externalId: `weir_be01.invoices_${data.key}.${n}`,
          values: { name: `Line ${n}`, quantity: n, price_unit: "100.50", "tax_ids/.id": company.taxes["S21"]! },
        })),
      },
    }),
  }),
  compare({
    name: "totals",
    model: "account.move",
    of: "invoice",
    code: "TOTALS-MISMATCH",
    expect: () => ({ amount_total: BigDecimal.fromStringUnsafe("364.82") }),
  }),
  transition({
    name: "post",
    model: "account.move",
    of: "invoice",
    method: "action_post",
    field: "state",
    from: ["draft"],
    to: ["posted"],
    posts: true,
    lock: () => "journal:sales",
    fields: ["name"],
  }),
])

const payments = specOf("payment", [
  load({
    name: "payment",
    model: "account.payment",
    mode: "create",
    rows: ({ company, data }) => ({
      externalId: `weir_be01.payments_${data.key}`,
      values: {
        payment_type: "inbound",
        partner_type: "customer",
        "partner_id/id": `weir_be01.customers_${data.key}`,
        amount: "364.82",
        "currency_id/id": "base.EUR",
        date: "2026-11-10",
        "journal_id/.id": company.journals["bank"]!,
      },
    }),
  }),
  transition({
    name: "post",
    model: "account.payment",
    of: "payment",
    method: "action_post",
    field: "state",
    from: ["draft"],
    to: ["in_process", "paid"],
    posts: true,
  }),
  reconcile({
    name: "reconcile",
    sets: ({ data, ids }) => [{ payments: [ids["payment"]!], owed: [data.invoice] }],
  }),
])

const kinds: ReadonlyArray<readonly [Fault, number]> = [
  [{ kind: "reset", when: "before" }, 0.06],
  [{ kind: "reset", when: "after" }, 0.08],
  [{ kind: "hang", commits: true }, 0.05],
  [{ kind: "hang", commits: false }, 0.05],
  [{ kind: "late", millis: 200_000 }, 0.04],
  [raise.serializationFailure, 0.05],
  [raise.lockNotAvailable, 0.05],
  [raise.sessionKilled, 0.05],
  [{ kind: "away" }, 0.05],
]

/** As the actor does: passing trouble is repeated. */
const patiently = <A>(effect: Effect.Effect<A, OdooError>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("30 seconds"), while: (error) => error.isRetryable })

/** Ten virtual minutes a step, until `effect` is done; at most two virtual weeks. */
const passTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let n = 0; n < 2_000 && fiber.pollUnsafe() === undefined; n++) yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

describe("a plan that is repeated until it goes through", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it.effect(`writes each record exactly once, whatever goes wrong on the way (seed ${seed})`, () => {
      const faults = new Faults(seed)
      for (const [fault, probability] of kinds) faults.add({ fault, probability })
      const odoo = StandInOdoo.layer(new StandIn(), { faults, latency: measured() })
      const gate = CallGate.layer({ databases: new Map([["main", { workers: 2, share: 1 }]]) })
      const layers = Plan.layer.pipe(
        Layer.provideMerge(MasterData.layer()),
        Layer.provideMerge(gate),
        Layer.provideMerge(odoo),
      )

      return Effect.gen(function* () {
        const plan = yield* Plan.Plan
        const master = yield* MasterData.MasterData
        const company: Company = yield* passTime(
          master.company({
            code: "be01",
            database: "main",
            company: 3,
            currency: "EUR",
            journals: { sales: "INV", bank: "BNK1" },
            taxes: { S21: "21%" },
          }).pipe(patiently),
        )
        const run = (spec: EventSpec<unknown>, data: ReadonlyArray<Data>) =>
          passTime(
            Effect.suspend(() => {
              const writes = data.map((each): Write<unknown> => ({
                data: each,
                key: each.key,
                company,
                references: [],
                previous: null,
                ids: {},
                read: {},
              }))
              return plan.run(spec, writes, { flow: "things", lane: "critical", drafts: false })
            }).pipe(patiently),
          ).pipe(Effect.map((results) =>
            results.map((result) => {
              if (result._tag === "Refused") {
                throw new Error(`seed ${seed}: ${result.refusal.code} ${result.refusal.detail}`)
              }
              return result.mapping.id
            })
          ))

        const data = Array.from({ length: 25 }, (_, n) => ({ key: `K${n}`, invoice: 0 }))
        yield* run(partners, data)
        const moves = yield* run(invoices, data)
        const paid = yield* run(payments, data.map((each, n) => ({ ...each, invoice: moves[n]! })))
        // And everything once more: a replay changes nothing.
        assert.deepStrictEqual(yield* run(invoices, data), moves)
        assert.deepStrictEqual(yield* run(payments, data.map((each, n) => ({ ...each, invoice: moves[n]! }))), paid)
        assert.isAtLeast([...faults.counts.values()].reduce((sum, count) => sum + count, 0), 5)
        faults.clear()

        const calls = companyCalls(yield* Odoo, yield* CallGate.CallGate, company, "normal")
        const all = yield* passTime(Effect.all({
          invoices: calls.searchRead("account.move", [["move_type", "=", "out_invoice"]], [
            "state",
            "payment_state",
            "amount_residual",
          ]),
          payments: calls.searchRead("account.payment", [], ["state", "amount"]),
          partners: calls.searchRead("res.partner", [["name", "like", "Customer K"]], ["name"]),
        }))
        assert.strictEqual(all.partners.length, 25)
        assert.deepStrictEqual(all.invoices.map(({ id }) => id).sort((a, b) => a - b), [...moves].sort((a, b) => a - b))
        assert.isTrue(
          all.invoices.every((move) =>
            move["state"] === "posted" && move["payment_state"] === "paid" && move["amount_residual"] === 0
          ),
        )
        assert.deepStrictEqual(all.payments.map(({ state }) => state), Array.from({ length: 25 }, () => "paid"))
      }).pipe(Effect.provide(layers))
    })
  }
})
