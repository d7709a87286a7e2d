/** Sentences of the contract about changes: what a feed asks of Odoo, and what Odoo's stamps mean. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { layer } from "@effect/vitest"
import type { Json } from "../../src/odoo/Odoo.ts"
import { first, postedInvoice, postedPayment, receivable, World } from "./World.ts"

type It = Parameters<Parameters<ReturnType<typeof layer<World, unknown>>>[1]>[0]

type Row = { readonly id: number; readonly write_date: string; readonly [field: string]: Json }

const fields = ["state", "payment_state", "amount_residual", "currency_id", "create_date", "write_date"]

const changes = Effect.fnUntraced(function* (more: ReadonlyArray<Json>, order = "write_date, id", limit = 500) {
  const { call, company } = yield* World
  const domain = [["company_id", "=", company.id], ["move_type", "=", "out_invoice"], ...more]
  return (yield* call("account.move", "search_read", {
    args: { domain, fields, order, limit },
  })) as never as ReadonlyArray<Row>
})

/** Odoo's stamps have seconds. */
const aSecond = Effect.sleep("1100 millis")

export const feedSentences = (it: It): void => {
  it.effect("gives invoices in the order in which they were written, page after page, none twice", () =>
    Effect.gen(function* () {
      const [before] = yield* changes([], "write_date desc, id desc", 1)
      const floor = before?.write_date ?? "1970-01-01 00:00:00"
      yield* aSecond
      const ids = yield* Effect.forEach(["F-1", "F-2", "F-3"], (key) => postedInvoice(key, "10"))
      const seen: Array<number> = []
      let after: Row | undefined
      while (true) {
        const page: ReadonlyArray<Row> = yield* changes(
          after === undefined ? [["write_date", ">", floor]] : [
            "|",
            ["write_date", ">", after.write_date],
            "&",
            ["write_date", "=", after.write_date],
            ["id", ">", after.id],
          ],
          "write_date, id",
          2,
        )
        seen.push(...page.map(({ id }) => id))
        if (page.length < 2) break
        after = page.at(-1)
      }
      assert.deepStrictEqual(seen, ids)
      const [row] = yield* changes([["id", "=", ids[0]!]])
      assert.match(row?.write_date ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u)
      assert.isTrue(String(row?.["create_date"]) <= row!.write_date)
      // A later second, and nothing of this one.
      const newest = (yield* changes([], "write_date desc, id desc", 1))[0]!
      assert.deepStrictEqual(yield* changes([["write_date", ">", newest.write_date]]), [])
    }))

  it.effect("stamps an invoice anew when it is matched, when that is taken back, and when it is set to draft", () =>
    Effect.gen(function* () {
      const { call } = yield* World
      const id = yield* postedInvoice("F-4", "100")
      const stampOf = Effect.map(changes([["id", "=", id]]), (rows) => first(rows))
      const item = yield* receivable("move_id", id)
      const stamps = [(yield* stampOf).write_date]
      const states: Array<Json | undefined> = []
      const step = Effect.fnUntraced(function* (act: Effect.Effect<unknown, unknown, World>) {
        yield* aSecond
        yield* act
        const { payment_state, state, write_date } = yield* stampOf
        stamps.push(write_date)
        states.push(`${String(state)} ${String(payment_state)}`)
      })
      const match = (key: string, amount: string) =>
        Effect.gen(function* () {
          const payment = yield* postedPayment(key, amount)
          const other = yield* receivable("payment_id", payment)
          yield* call("account.move.line", "reconcile", { ids: [Number(item["id"]), Number(other["id"])] })
        })
      yield* step(match("F-4a", "40"))
      yield* step(match("F-4b", "81"))
      yield* step(call("account.move.line", "remove_move_reconcile", { ids: [Number(item["id"])] }))
      yield* step(call("account.move", "button_draft", { ids: [id] }))
      assert.strictEqual(new Set(stamps).size, stamps.length)
      assert.deepStrictEqual(stamps, stamps.toSorted())
      assert.strictEqual(states[0], "posted partial")
      assert.include(["posted paid", "posted in_payment"], states[1])
      assert.deepStrictEqual(states.slice(2), ["posted not_paid", "draft not_paid"])
    }))

  it.effect("stamps a payment anew when it is set to draft, posted again and cancelled", () =>
    Effect.gen(function* () {
      const { call } = yield* World
      const id = yield* postedPayment("F-6", "25")
      const look = Effect.map(
        call("account.payment", "search_read", {
          args: {
            domain: [["id", "=", id], ["partner_type", "=", "customer"]],
            fields: [
              "name",
              "state",
              "payment_type",
              "partner_id",
              "date",
              "memo",
              "currency_id",
              "amount",
              "write_date",
            ],
          },
        }),
        (rows) => first(rows as never as ReadonlyArray<Row>),
      )
      const before = yield* look
      const stamps = [before.write_date]
      const states = [before["state"]]
      for (const method of ["action_draft", "action_post", "action_cancel"]) {
        yield* aSecond
        yield* call("account.payment", method, { ids: [id] })
        const { state, write_date } = yield* look
        stamps.push(write_date)
        states.push(state)
      }
      assert.deepStrictEqual(states, ["in_process", "draft", "in_process", "canceled"])
      assert.strictEqual(new Set(stamps).size, stamps.length)
      assert.deepStrictEqual(stamps, stamps.toSorted())
      assert.deepInclude(before, { payment_type: "inbound", amount: 25 })
    }))

  it.effect("stamps a credit note anew when it is matched, and says what of it is open", () =>
    Effect.gen(function* () {
      const { call, company } = yield* World
      const invoice = yield* postedInvoice("F-7", "100")
      const [source] = (yield* call("account.move", "read", {
        ids: [invoice],
        args: { fields: ["partner_id", "journal_id"] },
      })) as never as ReadonlyArray<{ readonly partner_id: readonly [number]; readonly journal_id: readonly [number] }>
      const line = { name: "Credit", quantity: 1, price_unit: 40, tax_ids: [[6, 0, []]] }
      const [note = 0] = (yield* call("account.move", "create", {
        args: {
          vals_list: [{
            move_type: "out_refund",
            company_id: company.id,
            partner_id: source!.partner_id[0],
            journal_id: source!.journal_id[0],
            invoice_date: "2026-11-20",
            reversed_entry_id: invoice,
            invoice_line_ids: [[0, 0, line as Json]],
          }],
        },
      })) as ReadonlyArray<number>
      const look = Effect.map(
        call("account.move", "search_read", {
          args: {
            domain: [["id", "=", note], ["move_type", "=", "out_refund"]],
            fields: ["state", "payment_state", "amount_total", "amount_residual", "reversed_entry_id", "write_date"],
          },
        }),
        (rows) => first(rows as never as ReadonlyArray<Row>),
      )
      const draft = yield* look
      yield* aSecond
      // Posting matches it with the invoice that it cites.
      yield* call("account.move", "action_post", { ids: [note] })
      const posted = yield* look
      yield* aSecond
      const item = yield* receivable("move_id", note)
      yield* call("account.move.line", "remove_move_reconcile", { ids: [Number(item["id"])] })
      const open = yield* look
      const seen = [draft, posted, open]
      assert.deepStrictEqual(
        seen.map(({ amount_residual, amount_total, payment_state, state }) => [
          state,
          payment_state,
          amount_total,
          amount_residual,
        ]),
        [["draft", "not_paid", 40, 40], ["posted", "paid", 40, 0], ["posted", "not_paid", 40, 40]],
      )
      assert.strictEqual((posted["reversed_entry_id"] as readonly [number, string])[0], invoice)
      assert.strictEqual(new Set(seen.map(({ write_date }) => write_date)).size, 3)
    }))

  it.effect("tells the external ids of records that Weir wrote, and none of others", () =>
    Effect.gen(function* () {
      const { call, entity } = yield* World
      const own = yield* postedInvoice("F-5", "10")
      const others = (yield* call("account.move", "create", {
        args: { vals_list: [{ move_type: "out_invoice" }] },
      })) as ReadonlyArray<number>
      const names = yield* call("account.move", "get_external_id", { ids: [own, ...others] })
      assert.deepStrictEqual(names, {
        [String(own)]: `weir_${entity}.invoices_F-5`,
        [String(others[0])]: "",
      })
    }))
}
