/** What is around the stand-in: faults, latency, collisions, saved state and locked periods. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { type Fault, Faults, raise } from "../../fixtures/odoo/Faults.ts"
import { measured } from "../../fixtures/odoo/Latency.ts"
import { restore, save, serve } from "../../fixtures/odoo/server.ts"
import { defaultKey, StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make } from "../../fixtures/odoo/StandInOdoo.ts"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { type Json, Odoo, type OdooError } from "../../src/odoo/Odoo.ts"

const database = "main"
const skip = { mode: "update", noupdate: true, allowed_company_ids: [3] } as const

const loadPartner = (odoo: Odoo["Service"], key: string) =>
  odoo.call({
    database,
    model: "res.partner",
    method: "load",
    args: { fields: ["id", "name"], data: [[`weir_be01.customers_${key}`, key]] },
    context: skip,
  })

const standing = (standIn: StandIn, key: string): boolean =>
  standIn.store.resolve("res.partner", `weir_be01.customers_${key}`) !== undefined

const withFault = (fault: Fault) => {
  const standIn = new StandIn()
  const faults = new Faults()
  faults.add({ fault, method: "load", times: 1 })
  return { standIn, odoo: make(standIn, { faults, timeout: "1 minute" }) }
}

describe("faults of the stand-in", () => {
  const cases: ReadonlyArray<readonly [name: string, fault: Fault, code: OdooError["code"], stands: boolean]> = [
    ["a reset before the commit", { kind: "reset", when: "before" }, "ODOO-NO-ANSWER", false],
    ["a reset after the commit", { kind: "reset", when: "after" }, "ODOO-NO-ANSWER", true],
    ["exhausted serialization retries", raise.serializationFailure, "ODOO-CONTENTION", false],
    ["a killed database session", raise.sessionKilled, "ODOO-UNAVAILABLE", false],
    ["a database that is away", { kind: "away" }, "ODOO-UNAVAILABLE", false],
    ["a key that has run out", { kind: "key" }, "ODOO-AUTH", false],
  ]
  for (const [name, fault, code, stands] of cases) {
    it.effect(`${name}: the caller learns ${code}, the record ${stands ? "stands" : "does not stand"}, a repetition mends it`, () =>
      Effect.gen(function* () {
        const { odoo, standIn } = withFault(fault)
        assert.strictEqual((yield* Effect.flip(loadPartner(odoo, "A"))).code, code)
        assert.strictEqual(standing(standIn, "A"), stands)
        const answer = yield* loadPartner(odoo, "A")
        assert.deepInclude(answer as { [name: string]: Json }, { messages: [] })
        assert.isTrue(standing(standIn, "A"))
      }))
  }

  it.effect("a call that hangs is given up after the timeout", () =>
    Effect.gen(function* () {
      const { odoo, standIn } = withFault({ kind: "hang", commits: true })
      const fiber = yield* Effect.forkChild(Effect.flip(loadPartner(odoo, "B")))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).code, "ODOO-NO-ANSWER")
      assert.isTrue(standing(standIn, "B"))
    }))

  it.effect("a late call is committed after the caller has given up", () =>
    Effect.gen(function* () {
      const { odoo, standIn } = withFault({ kind: "late", millis: 90_000 })
      const fiber = yield* Effect.forkChild(Effect.flip(loadPartner(odoo, "C")))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).code, "ODOO-NO-ANSWER")
      assert.isFalse(standing(standIn, "C"))
      yield* TestClock.adjust("30 seconds")
      assert.isTrue(standing(standIn, "C"))
    }))

  it("the same seed chooses the same victims", () => {
    const victims = (seed: number): string => {
      const faults = new Faults(seed)
      faults.add({ fault: { kind: "away" }, probability: 0.3 })
      const request = { model: "res.partner", method: "read", body: {}, key: defaultKey }
      return Array.from({ length: 64 }, () => faults.next(request, 0) === undefined ? "." : "x").join("")
    }
    assert.strictEqual(victims(7), victims(7))
    assert.notStrictEqual(victims(7), victims(8))
    assert.include(victims(7), "x")
    assert.include(victims(7), ".")
  })

  it("a rule holds for its model, its company, its window and its number of times", () => {
    const faults = new Faults()
    faults.add({
      fault: { kind: "away" },
      model: "account.move",
      company: 3,
      after: 1,
      times: 2,
      fromMillis: 100,
      untilMillis: 200,
    })
    const request = (model: string, company: number) => ({
      model,
      method: "read",
      body: { context: { allowed_company_ids: [company] } },
      key: defaultKey,
    })
    const hits = (model: string, company: number, at: number) => faults.next(request(model, company), at) !== undefined
    assert.isFalse(hits("res.partner", 3, 150))
    assert.isFalse(hits("account.move", 4, 150))
    assert.isFalse(hits("account.move", 3, 99))
    assert.isFalse(hits("account.move", 3, 200))
    assert.deepStrictEqual([1, 2, 3, 4].map(() => hits("account.move", 3, 150)), [false, true, true, false])
  })
})

describe("latency of the stand-in", () => {
  it.effect("calls queue for the workers", () =>
    Effect.gen(function* () {
      const odoo = make(new StandIn(), { latency: { workers: 2, cost: () => 1000 } })
      const fibers = yield* Effect.forEach(["A", "B", "C"], (key) =>
        Effect.forkChild(Effect.andThen(loadPartner(odoo, key), Clock.currentTimeMillis)))
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [1000, 1000, 2000])
    }))

  it.effect("connections beyond the backlog are reset", () =>
    Effect.gen(function* () {
      const odoo = make(new StandIn(), { latency: { workers: 1, cost: () => 1000 } })
      const fibers = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, at) => `K-${at}`),
        (key) => Effect.forkChild(Effect.result(loadPartner(odoo, key))),
      )
      yield* TestClock.adjust("1 minute")
      const results = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(results.filter((result) => result._tag === "Success").length, 9)
      yield* Effect.forkChild(loadPartner(odoo, "K-9")).pipe(
        Effect.tap(() => TestClock.adjust("1 minute")),
        Effect.flatMap(Fiber.join),
      )
    }))

  it.effect("two loads of the same record at once collide, and the repetition finds it", () =>
    Effect.gen(function* () {
      const odoo = make(new StandIn(), { latency: measured() })
      const fibers = yield* Effect.forEach([1, 2], () => Effect.forkChild(Effect.result(loadPartner(odoo, "A"))))
      yield* TestClock.adjust("1 second")
      const results = yield* Effect.forEach(fibers, Fiber.join)
      const failures = results.flatMap((result) => result._tag === "Failure" ? [result.failure.code] : [])
      assert.deepStrictEqual(failures, ["ODOO-CONTENTION"])
      const again = yield* Effect.forkChild(loadPartner(odoo, "A"))
      yield* TestClock.adjust("1 second")
      assert.deepInclude((yield* Fiber.join(again)) as { [name: string]: Json }, { messages: [] })
    }))

  it.effect("an interrupted call is committed all the same", () =>
    Effect.gen(function* () {
      const standIn = new StandIn()
      const odoo = make(standIn, { latency: { workers: 1, cost: () => 1000 } })
      const fiber = yield* Effect.forkChild(loadPartner(odoo, "A"))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(fiber)
      assert.isFalse(standing(standIn, "A"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(standing(standIn, "A"))
    }))

  it.effect("dates are the clock's", () =>
    Effect.gen(function* () {
      const standIn = new StandIn()
      const odoo = make(standIn)
      yield* TestClock.setTime(Date.UTC(2026, 10, 30, 23, 59, 59))
      yield* loadPartner(odoo, "A")
      const id = standIn.store.resolve("res.partner", "weir_be01.customers_A") ?? 0
      const read = yield* odoo.call({
        database,
        model: "res.partner",
        method: "read",
        ids: [id],
        args: { fields: ["write_date"] },
      })
      assert.deepStrictEqual(read, [{ id, write_date: "2026-11-30 23:59:59" }])
    }))
})

describe("the stand-in's server", () => {
  const over = (url: string) => {
    const key = Effect.succeed(Redacted.make(defaultKey))
    const target = { url: new URL(url), database: "odoo", key, timeout: "10 seconds" } as const
    return Json2Odoo.layer({ databases: new Map([[database, target]]), version: "test" })
  }

  it.live("breaks connections on command, before and after the commit", () =>
    Effect.gen(function* () {
      const standIn = new StandIn()
      const url = yield* serve(standIn)
      yield* Effect.gen(function* () {
        const odoo = yield* Odoo
        for (const [when, stands] of [["before", false], ["after", true]] as const) {
          const rule = JSON.stringify({ fault: { kind: "reset", when }, times: 1 })
          const made = yield* Effect.promise(() => fetch(`${url}/_standin/faults`, { method: "POST", body: rule }))
          assert.deepStrictEqual(yield* Effect.promise(() => made.json()), { ok: true })
          assert.strictEqual((yield* Effect.flip(loadPartner(odoo, when))).code, "ODOO-NO-ANSWER")
          assert.strictEqual(standing(standIn, when), stands)
        }
        yield* loadPartner(odoo, "before")
        assert.isTrue(standing(standIn, "before"))
      }).pipe(Effect.provide(over(url)))
    }))

  it.live("a restarted stand-in has what was saved, and goes on from there", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "standin-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true })),
      )
      const file = join(folder, "odoo.ndjson")
      const standIn = new StandIn()
      const first = yield* loadPartner(make(standIn), "A")
      yield* Effect.promise(() => save(standIn, file))
      const restarted = new StandIn()
      yield* Effect.promise(() => restore(restarted, file))
      assert.deepStrictEqual(yield* loadPartner(make(restarted), "A"), first)
      const [id] = (first as { readonly ids: ReadonlyArray<number> }).ids
      const next = yield* loadPartner(make(restarted), "B")
      assert.deepStrictEqual((next as { readonly ids: ReadonlyArray<number> }).ids, [Number(id) + 1])
    }))
})

describe("locked periods", () => {
  it.effect("posting never fails: the accounting date moves to today, the invoice date stays", () =>
    Effect.gen(function* () {
      const standIn = new StandIn()
      const odoo = make(standIn)
      yield* TestClock.setTime(Date.UTC(2026, 10, 22))
      standIn.lock(3, "sale", "2026-10-31")
      yield* loadPartner(odoo, "A")
      const call = (method: string, rest: { ids?: ReadonlyArray<number>; args?: { [name: string]: Json } }) =>
        odoo.call({ database, model: "account.move", method, context: skip, ...rest })
      const made = yield* call("load", {
        args: {
          fields: [
            "id",
            "move_type",
            "partner_id/id",
            "invoice_date",
            "invoice_line_ids/name",
            "invoice_line_ids/price_unit",
          ],
          data: [["weir_be01.invoices_1", "out_invoice", "weir_be01.customers_A", "2026-10-15", "Line", "10"]],
        },
      })
      const { ids } = made as { readonly ids: ReadonlyArray<number> }
      yield* call("action_post", { ids })
      const read = yield* call("read", { ids, args: { fields: ["invoice_date", "date", "state"] } })
      assert.deepStrictEqual(read, [{
        id: Number(ids[0]),
        invoice_date: "2026-10-15",
        date: "2026-11-22",
        state: "posted",
      }])
    }))
})
