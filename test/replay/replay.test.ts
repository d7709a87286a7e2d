/** Replays over the running product, on memory adapters and virtual time: what is found, and what applying does. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { Publication } from "../../src/broker/Broker.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"
import { Dependencies, makeMemory } from "../../src/actor/modes/Dependencies.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { type RunEvent, Runs } from "../../src/ledger/Runs.ts"
import type { Json } from "../../src/odoo/Odoo.ts"
import { findingClasses } from "../../src/replay/Finding.ts"
import type { ReplayRequest } from "../../src/replay/Request.ts"
import { customer, engagement, invoice, payment, timesheet } from "../streams/samples.ts"
import { configuration, pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"

const onePayment = { ...payment, invoices: ["INV-1"] }
const quoteToCash: ReadonlyArray<Publication> = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("timesheet.approved", timesheet),
  publication("invoice.requested", invoice),
  publication("payment.received", onePayment),
]

const request = (given: Partial<ReplayRequest> = {}): ReplayRequest => ({
  selection: { subject: "erp.>" },
  source: "stream",
  onChanged: "skip",
  ratePerSecond: 0,
  concurrency: 10,
  keepAll: true,
  ...given,
})

let ids = 0

const opened = Effect.fnUntraced(function* (given: Partial<ReplayRequest> = {}) {
  const runs = yield* Runs
  const runId = `run-${++ids}`
  yield* runs.open({
    entity: "be01",
    runId,
    kind: "replay",
    state: given.source === "upload" ? "gathering" : "examining",
    request: request(given) as never,
    requestedBy: "ada",
    reason: "test",
  })
  return runId
})

/** Classes by flow. */
const examined = Effect.fnUntraced(function* (given: Partial<ReplayRequest> = {}) {
  const runs = yield* Runs
  const runId = yield* opened(given)
  yield* pass(8)
  const run = (yield* runs.run("be01", runId))!
  assert.strictEqual(run.state, "examined", run.trouble)
  return { runId, totals: run.totals as { readonly [flow: string]: { readonly [finding: string]: number } } }
})

const eventsOf = (runId: string): Effect.Effect<ReadonlyArray<RunEvent>, never, Runs> =>
  Effect.orDie(Runs.use((runs) => runs.events({ entity: "be01", runId, after: 0, limit: 500 })))

const applied = Effect.fnUntraced(function* (runId: string, seconds = 20) {
  const runs = yield* Runs
  yield* runs.change("be01", runId, ["examined"], { state: "applying", appliedBy: "eve" })
  yield* pass(seconds)
  const run = (yield* runs.run("be01", runId))!
  return { run, outcomes: run.progress["outcomes"] as { readonly [outcome: string]: number } | undefined }
})

const rows = (standIn: StandIn, model: string) => [...standIn.store.tables.get(model)!.rows.values()]
const invoices = (standIn: StandIn) => rows(standIn, "account.move").filter((row) => row["move_type"] === "out_invoice")

/** What a person does in Odoo. */
const byHand = (
  standIn: StandIn,
  model: string,
  method: string,
  ids: ReadonlyArray<number>,
  args: { [name: string]: Json } = {},
) => makeOdoo(standIn).call({ database: "main", model, method, ids, args, context: { allowed_company_ids: [3] } })

/** Everything in Odoo, as text: equal when nothing was written. */
const books = (standIn: StandIn): string => [...standIn.store.dump()].join("\n")

const there = { there: 1 }

describe("replay", () => {
  it.effect("finds everything there after it was written, and applying that changes nothing", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      const before = books(world.standIn)
      const { runId, totals } = yield* examined()
      assert.deepStrictEqual(totals, {
        customers: there,
        engagements: there,
        timesheets: there,
        invoices: there,
        payments: there,
      })
      const { run, outcomes } = yield* applied(runId, 10)
      assert.deepStrictEqual([run.state, outcomes], ["done", {}])
      assert.strictEqual(books(world.standIn), before)
      const ledger = yield* Ledger
      const trail = yield* ledger.audit({ entity: "be01", after: null, limit: 10, order: "newest" })
      assert.deepStrictEqual(trail.map(({ action }) => action), ["replay.done"])
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("proposes exactly what was deleted by hand, and applying makes it again, once", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 3))
      const keys = ["A", "B", "C", "D", "E", "F"]
      yield* publish(...keys.map((key) => publication("invoice.requested", { ...invoice, key })))
      yield* pass(20)
      const doomed = invoices(world.standIn).filter(({ ref }) => ["B", "E"].includes(String(ref)))
      yield* byHand(world.standIn, "account.move", "button_draft", doomed.map(({ id }) => id))
      yield* byHand(world.standIn, "account.move", "unlink", doomed.map(({ id }) => id))
      const { runId, totals } = yield* examined()
      assert.deepStrictEqual(totals["invoices"], { there: 4, create: 2 })
      const proposed = (yield* eventsOf(runId)).filter(({ finding }) => finding === "create")
      assert.deepStrictEqual(proposed.map(({ key }) => key), ["B", "E"])
      const { outcomes, run } = yield* applied(runId)
      assert.deepStrictEqual([run.state, outcomes], ["done", { applied: 2 }])
      assert.deepStrictEqual(invoices(world.standIn).map(({ ref, state }) => [ref, state]).sort(), [
        ...keys.map((key) => [key, "posted"]),
      ])
      assert.deepStrictEqual((yield* examined()).totals["invoices"], { there: 6 })
      assert.strictEqual((yield* tallies()).get("invoices")?.applied, 6, "counted once")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("writes nothing twice, however often and at once replays are applied", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      const [paid] = invoices(world.standIn)
      const [money] = rows(world.standIn, "account.payment")
      yield* byHand(world.standIn, "account.move", "button_draft", [paid!.id])
      yield* byHand(world.standIn, "account.move", "unlink", [paid!.id])
      const runs = yield* Effect.forEach([1, 2, 3], () => examined())
      const store = yield* Runs
      for (const { runId } of runs) yield* store.change("be01", runId, ["examined"], { state: "applying" })
      yield* pass(40)
      for (const { runId } of runs) assert.strictEqual((yield* store.run("be01", runId))?.state, "done")
      assert.strictEqual(invoices(world.standIn).length, 1)
      assert.strictEqual(invoices(world.standIn)[0]?.["state"], "posted")
      assert.deepStrictEqual(rows(world.standIn, "account.payment").map(({ id }) => id), [money!.id])
      const again = yield* examined()
      assert.deepStrictEqual(again.totals["payments"], { unfinished: 1 }, "payment and new invoice are both open")
      const matched = yield* applied(again.runId)
      assert.deepStrictEqual(matched.outcomes, { applied: 1 })
      assert.strictEqual(invoices(world.standIn)[0]?.["payment_state"], "paid")
      assert.deepStrictEqual((yield* examined()).totals["payments"], there)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("makes again a customer, its engagement and its invoice in their order", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      const { standIn } = world
      for (const model of ["account.move", "project.milestone", "project.task", "sale.order", "project.project"]) {
        const table = standIn.store.tables.get(model)!
        for (const rec of [...table.rows.values()]) {
          standIn.store.externalIds.get(model)!.delete(String(rec["_external_id"]))
          table.rows.delete(rec.id)
          table.unindex(rec)
        }
      }
      const { runId, totals } = yield* examined()
      assert.deepStrictEqual(totals, { customers: there, engagements: { create: 1 }, invoices: { create: 1 } })
      const { outcomes } = yield* applied(runId, 30)
      assert.deepStrictEqual(outcomes, { applied: 2 })
      assert.deepStrictEqual(invoices(standIn).map(({ state }) => state), ["posted"])
      assert.deepStrictEqual((yield* examined()).totals, { customers: there, engagements: there, invoices: there })
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("leaves alone what people have changed, unless it is a draft and they say so", () => {
    const world = ports()
    return Effect.gen(function* () {
      const { standIn } = world
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      const [move] = invoices(standIn)
      yield* byHand(standIn, "account.move", "button_draft", [move!.id])
      const travel = rows(standIn, "account.move.line").find(({ name }) => name === "Travel")!
      yield* byHand(standIn, "account.move.line", "write", [travel.id], { vals: { price_unit: 3.23 } })
      yield* byHand(standIn, "account.move", "write", [move!.id], {
        vals: { invoice_line_ids: [[0, 0, { name: "By hand", quantity: 1, price_unit: 5 }]] },
      })
      const before = books(standIn)
      const skipped = yield* examined()
      assert.deepStrictEqual(skipped.totals["invoices"], { changed: 1 })
      const [found] = (yield* eventsOf(skipped.runId)).filter(({ finding }) => finding === "changed")
      const differences = found!.detail["differences"] as unknown as ReadonlyArray<{ field: string; event: string }>
      assert.deepInclude(differences.map(({ event, field }) => [field, event]), ["invoice_line_ids/price_unit", "2.23"])
      assert.deepStrictEqual((yield* applied(skipped.runId, 10)).outcomes, {})
      assert.strictEqual(books(standIn), before)
      const amended = yield* examined({ onChanged: "update-draft" })
      assert.deepStrictEqual((yield* applied(amended.runId)).outcomes, { applied: 1 })
      assert.deepStrictEqual(invoices(standIn).map(({ id, state }) => [id, state]), [[move!.id, "posted"]])
      assert.deepStrictEqual((yield* examined()).totals["invoices"], there, "the hand-made line is gone too")
      yield* byHand(standIn, "account.move.line", "write", [travel.id], { vals: { price_unit: 9 } })
      const posted = yield* examined({ onChanged: "update-draft" })
      const after = books(standIn)
      assert.deepStrictEqual((yield* applied(posted.runId, 10)).outcomes, {}, "what is posted is left alone")
      assert.strictEqual(books(standIn), after)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("takes an uploaded file: what is new is applied, a changed payload is told field by field", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      const runs = yield* Runs
      const runId = yield* opened({ source: "upload" })
      const upload = [
        publication("invoice.requested", { ...invoice, dueDate: "2026-12-15" }),
        publication("invoice.requested", { ...invoice, key: "INV-9" }),
        publication("customer.upserted", { ...customer, name: "Older" }, { sequence: 0 }),
        publication("invoice.requested", { ...invoice, key: "INV-8", customer: "NOBODY" }),
      ]
      yield* runs.keep(
        "be01",
        runId,
        upload.map(({ data, headers, subject }, n): RunEvent => ({
          ordinal: n + 1,
          eventId: "",
          type: "",
          flow: "",
          key: "",
          streamSequence: 0,
          storedAtMillis: 0,
          finding: "",
          detail: {},
          message: { subject, headers, data },
          outcome: null,
        })),
      )
      yield* runs.change("be01", runId, ["gathering"], { state: "examining" })
      yield* pass(8)
      assert.deepStrictEqual((yield* eventsOf(runId)).map(({ finding, key }) => [key, finding]), [
        ["INV-1", "changed"],
        ["INV-9", "create"],
        [customer.key, "superseded"],
        ["INV-8", "missing"],
      ])
      const { outcomes } = yield* applied(runId)
      assert.deepStrictEqual(outcomes, { applied: 1 })
      assert.deepStrictEqual(invoices(world.standIn).map(({ ref }) => ref).sort(), ["INV-1", "INV-9"])
      assert.strictEqual((yield* tallies()).get("invoices")?.applied, 2)
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("does not overtake the stream: what its flow has not come to is left to it", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(quoteToCash[0]!)
      yield* pass(5)
      const client = yield* LegalEntity.client
      yield* client("be01").Drain({}).pipe(Effect.forkChild)
      yield* pass(3)
      const { vat: _, ...other } = customer
      yield* publish(publication("customer.upserted", { ...other, key: "CUS-2" }, { sequence: 1 }))
      const { totals } = yield* examined()
      assert.deepStrictEqual(totals, { customers: { there: 1, coming: 1 } }, "a drained entity can be looked at")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("looks only at what is selected, by key, flow, sequence and time", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash)
      yield* pass(20)
      const countOf = Effect.fnUntraced(function* (selection: Partial<ReplayRequest["selection"]>) {
        const { totals } = yield* examined({ selection: { subject: "erp.>", ...selection } })
        return Object.keys(totals).sort()
      })
      assert.deepStrictEqual(yield* countOf({ subject: "erp.*.invoice.>" }), ["invoices"])
      assert.deepStrictEqual(yield* countOf({ subject: "erp.nl01.>" }), [])
      assert.deepStrictEqual(yield* countOf({ flows: ["payments", "timesheets"] }), ["payments", "timesheets"])
      assert.deepStrictEqual(yield* countOf({ key: "INV-1" }), ["invoices"])
      assert.deepStrictEqual(yield* countOf({ fromSequence: 2, toSequence: 3 }), ["engagements", "timesheets"])
      assert.deepStrictEqual(yield* countOf({ fromMillis: 1 }), [])
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 90_000)

  it.effect("says what is locked, and acts on it as the policy of the entity says", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      const [move] = invoices(world.standIn)
      yield* byHand(world.standIn, "account.move", "button_draft", [move!.id])
      yield* byHand(world.standIn, "account.move", "unlink", [move!.id])
      world.standIn.lock(3, "sale", "2026-10-31")
      yield* pass(6)
      const { runId, totals } = yield* examined()
      assert.deepStrictEqual(totals["invoices"], { locked: 1 })
      assert.deepStrictEqual((yield* applied(runId, 10)).outcomes, {})
      assert.deepStrictEqual(invoices(world.standIn), [])
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  it.effect("goes on after a crash with what is pending, and stands still while it is paused", () => {
    const world = ports()
    return Effect.gen(function* () {
      const keys = Array.from({ length: 30 }, (_, n) => `INV-${n}`)
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(running(), scope)
      yield* publish(
        ...quoteToCash.slice(0, 2),
        ...keys.map((key) => publication("invoice.requested", { ...invoice, key })),
      )
      yield* pass(30)
      const doomed = invoices(world.standIn).map(({ id }) => id)
      assert.strictEqual(doomed.length, 30)
      yield* byHand(world.standIn, "account.move", "button_draft", doomed)
      yield* byHand(world.standIn, "account.move", "unlink", doomed)
      const { runId } = yield* examined({ ratePerSecond: 2, concurrency: 4 })
      yield* applied(runId, 5)
      const runs = yield* Runs
      yield* runs.change("be01", runId, ["applying"], { state: "paused" })
      yield* pass(8)
      const paused = invoices(world.standIn).length
      assert.isAbove(paused, 4)
      assert.isBelow(paused, 20, "two a second")
      yield* pass(10)
      assert.strictEqual(invoices(world.standIn).length, paused)
      yield* runs.change("be01", runId, ["paused"], { state: "applying" })
      yield* pass(8)
      yield* Scope.close(scope, Exit.interrupt(0)).pipe(Effect.forkChild)
      yield* pass(2)
      assert.isBelow(invoices(world.standIn).length, 30)
      const next = yield* Scope.make()
      yield* Layer.buildWithScope(running(), next)
      yield* pass(30)
      assert.strictEqual((yield* runs.run("be01", runId))?.state, "done")
      assert.deepStrictEqual(
        invoices(world.standIn).map(({ ref, state }) => `${ref} ${state}`).sort(),
        keys.map((key) => `${key} posted`).sort(),
      )
      yield* Scope.close(next, Exit.void).pipe(Effect.forkChild)
      yield* pass(5)
    }).pipe(Effect.provide(world.layer))
  }, 120_000)

  it.effect("waits while the entity may not post, and can be cancelled", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...quoteToCash.slice(0, 2), quoteToCash[3]!)
      yield* pass(20)
      const [move] = invoices(world.standIn)
      yield* byHand(world.standIn, "account.move", "button_draft", [move!.id])
      yield* byHand(world.standIn, "account.move", "unlink", [move!.id])
      const { runId } = yield* examined()
      const client = yield* LegalEntity.client
      yield* client("be01").SetMode({ mode: "drafts", reason: "test" }).pipe(Effect.forkChild)
      yield* pass(5)
      const { run } = yield* applied(runId, 10)
      assert.deepStrictEqual([run.state, invoices(world.standIn).length], ["applying", 0])
      assert.include(run.trouble, "mode drafts")
      const runs = yield* Runs
      yield* runs.change("be01", runId, ["applying"], { state: "cancelled" })
      yield* client("be01").SetMode({ mode: "full", reason: "test" }).pipe(Effect.forkChild)
      yield* pass(15)
      assert.strictEqual(invoices(world.standIn).length, 0, "cancelled is cancelled")
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  }, 60_000)

  /** So many invoices that somebody deleted, and a replay that brings four of them a second again. */
  const deleted = Effect.fnUntraced(function* (standIn: StandIn, count: number, given: object = {}) {
    const keys = Array.from({ length: count }, (_, n) => `INV-${String(n).padStart(2, "0")}`)
    yield* publish(
      ...quoteToCash.slice(0, 2),
      ...keys.map((key) => publication("invoice.requested", { ...invoice, key, ...given })),
    )
    yield* pass(30)
    const doomed = invoices(standIn).map(({ id }) => id)
    assert.lengthOf(doomed, count)
    yield* byHand(standIn, "account.move", "button_draft", doomed)
    yield* byHand(standIn, "account.move", "unlink", doomed)
    const { runId, totals } = yield* examined({ ratePerSecond: 4, concurrency: 4 })
    assert.deepStrictEqual(totals["invoices"], { create: count })
    return { keys, runId }
  })
  /** Until some of it is done, and not all. */
  const begun = Effect.fnUntraced(function* (standIn: StandIn, runId: string) {
    yield* applied(runId, 0)
    while (invoices(standIn).length < 4) yield* pass(0.5)
  })
  const states = (standIn: StandIn) => invoices(standIn).map(({ ref, state }) => `${ref} ${state}`).sort()

  for (const mode of ["drafts", "hold"] as const) {
    it.effect(`stops within its page when the mode becomes ${mode}, drafts nothing, and goes on when it posts`, () => {
      const world = ports()
      return Effect.gen(function* () {
        const { keys, runId } = yield* deleted(world.standIn, 30)
        yield* begun(world.standIn, runId)
        const client = yield* LegalEntity.client
        yield* client("be01").SetMode({ mode, reason: "test" }).pipe(Effect.forkChild)
        yield* pass(20)
        const { trouble } = (yield* Runs.use((runs) => runs.run("be01", runId)))!
        assert.include(trouble, `mode ${mode}`)
        const first = states(world.standIn)
        assert.isAtLeast(first.length, 4)
        assert.isBelow(first.length, 25)
        assert.deepStrictEqual(first.filter((each) => !each.endsWith("posted")), [])
        yield* client("be01").SetMode({ mode: "full", reason: "test" }).pipe(Effect.forkChild)
        yield* pass(30)
        const run = (yield* Runs.use((runs) => runs.run("be01", runId)))!
        assert.deepStrictEqual([run.state, run.progress["outcomes"]], ["done", { applied: 30 }])
        assert.deepStrictEqual(states(world.standIn), keys.map((key) => `${key} posted`))
      }).pipe(Effect.provide(running()), Effect.provide(world.layer))
    }, 120_000)
  }

  it.effect("tries again what a service keeps from being done, until it answers", () => {
    const world = ports()
    const pricing = makeMemory("pricing", () => ({ lines: [{ key: "1", unitPrice: "100" }] }))
    const layer = running().pipe(
      Layer.provide(Layer.succeed(Dependencies, new Map([["pricing", pricing.dependency]]))),
      Layer.provideMerge(world.layer),
    )
    return Effect.gen(function* () {
      const lines = [{ key: "1", description: "Senior", quantity: "2", taxCode: "S21" }]
      const unpriced = { lines, engagement: undefined, totals: undefined }
      const { keys, runId } = yield* deleted(world.standIn, 8, unpriced)
      yield* begun(world.standIn, runId)
      pricing.setWorking(false)
      yield* pass(60)
      const waiting = (yield* Runs.use((runs) => runs.run("be01", runId)))!
      assert.strictEqual(waiting.state, "applying")
      assert.include(waiting.trouble, "pricing does not answer")
      assert.isBelow(invoices(world.standIn).length, 8)
      pricing.setWorking(true)
      yield* pass(120)
      const run = (yield* Runs.use((runs) => runs.run("be01", runId)))!
      assert.deepStrictEqual([run.state, run.progress["outcomes"]], ["done", { applied: 8 }])
      assert.deepStrictEqual(states(world.standIn), keys.map((key) => `${key} posted`))
    }).pipe(Effect.provide(layer))
  }, 120_000)

  it.effect("says of a period that is locked meanwhile that nothing waits for its approval", () => {
    const world = ports()
    const be01 = { ...configuration.entities.be01, latePolicy: "approval" }
    return Effect.gen(function* () {
      const { runId } = yield* deleted(world.standIn, 60)
      yield* begun(world.standIn, runId)
      world.standIn.lock(3, "sale", "2026-10-31")
      yield* pass(30)
      const run = (yield* Runs.use((runs) => runs.run("be01", runId)))!
      const outcomes = run.progress["outcomes"] as { readonly [outcome: string]: number }
      assert.deepStrictEqual([run.state, Object.keys(outcomes).sort()], ["done", ["applied", "refused"]])
      assert.strictEqual(outcomes["applied"]! + outcomes["refused"]!, 60)
      const refused = (yield* eventsOf(runId)).find(({ outcome }) => outcome === "refused")
      assert.strictEqual(refused?.detail["code"], "PERIOD-APPROVAL-MISSING")
      assert.include(String(refused?.detail["note"]), "nothing of it waits: replay it again")
      assert.strictEqual((yield* tallies()).get("invoices")?.waiting, 0)
    }).pipe(
      Effect.provide(running({ configuration: { ...configuration, entities: { be01 } } })),
      Effect.provide(world.layer),
    )
  }, 120_000)

  it("has a meaning for every class", () => {
    assert.strictEqual(new Set(findingClasses).size, 13)
  })
})
