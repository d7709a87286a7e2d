/** Posted documents that stand with other values than their events: credited and billed anew, once, whatever happens. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import { type RunEvent, Runs } from "../../src/ledger/Runs.ts"
import { Broker, type BrokerError, type Publication } from "../../src/broker/Broker.ts"
import type { ReplayRequest } from "../../src/replay/Request.ts"
import { customer, engagement, invoice, payment } from "../streams/samples.ts"
import { pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"

const TODAY = Date.UTC(2026, 10, 22)
/** The product, started on a day on which nothing is late. */
const today = Layer.unwrap(Effect.as(TestClock.setTime(TODAY), running()))
const masters = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
]
const original = publication("invoice.requested", invoice)
/** Events of a world before its correction: the two above and the invoice. */
const GIVEN = 3
/** The same invoice, one hour dearer. */
const dearer = {
  ...invoice,
  lines: [{ ...invoice.lines[0]!, quantity: "3" }, ...invoice.lines.slice(1)],
  totals: { untaxed: "378.73", tax: "79.53", total: "458.26" },
}
const changed = publication("invoice.requested", dearer)

let ids = 0
/** A run over a file, looked at. */
const uploaded = Effect.fnUntraced(function* (
  upload: ReadonlyArray<Publication>,
  onChanged: ReplayRequest["onChanged"] = "credit-and-rebill",
  requestedBy = "ada",
) {
  const runs = yield* Runs
  const runId = `rebill-${++ids}`
  const request: ReplayRequest = {
    selection: { subject: "erp.>" },
    source: "upload",
    onChanged,
    ratePerSecond: 0,
    concurrency: 10,
    keepAll: true,
  }
  const run = { entity: "be01", runId, kind: "replay", state: "gathering", requestedBy, reason: "An hour more" }
  yield* runs.open({ ...run, request: request as never } as Parameters<typeof runs.open>[0])
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
  return runId
})
const findings = (runId: string) =>
  Effect.map(
    Runs.use((runs) => runs.events({ entity: "be01", runId, after: 0, limit: 50 })),
    (events) => events.map(({ detail, finding, key }) => [key, finding, detail["note"] ?? ""]),
  )
const begin = (runId: string) =>
  Runs.use((runs) => runs.change("be01", runId, ["examined"], { state: "applying", appliedBy: "eve" }))
const outcomesOf = (runId: string) =>
  Effect.map(Runs.use((runs) => runs.run("be01", runId)), (run) => [run!.state, run!.progress["outcomes"]])

/** Invoices and credit notes: what they are called, what became of them. */
const documents = ({ store }: StandIn) =>
  [...store.tables.get("account.move")!.rows.values()]
    .filter(({ move_type }) => move_type === "out_invoice" || move_type === "out_refund")
    .map((row) =>
      `${String(row["move_type"])} ${String(row["ref"]).replace(/-([cr])-[0-9a-f]+$/u, "-$1")} ${row["state"]}`
    )
    .toSorted()
const corrected = ["out_invoice INV-1 posted", "out_invoice INV-1-r posted", "out_refund INV-1-c posted"]

/** Whether a correction has been published on a domain of the entity. */
const published = (domain: string) =>
  Broker.use((broker) => Effect.map(broker.lastSequence(`erp.be01.${domain}.>`), (last) => last > GIVEN))
const stands = (standIn: StandIn, document: string) =>
  Effect.sync(() => documents(standIn).some((one) => one.startsWith(document)))
/** How far a correction may be when its process dies. */
const steps: ReadonlyArray<readonly [string, (standIn: StandIn) => Effect.Effect<boolean, BrokerError, Broker>]> = [
  ["the credit note is published", () => published("credit-note")],
  ["its draft stands", (standIn) => stands(standIn, "out_refund INV-1-c")],
  ["it is posted", (standIn) => stands(standIn, "out_refund INV-1-c posted")],
  ["the new invoice is published", () => published("invoice")],
  ["its draft stands", (standIn) => stands(standIn, "out_invoice INV-1-r")],
  ["it is posted", (standIn) => stands(standIn, "out_invoice INV-1-r posted")],
]

/** A run whose process dies as soon as a step is reached. */
const diedAt = Effect.fnUntraced(function* (reached: Effect.Effect<boolean, BrokerError, Broker>) {
  yield* TestClock.setTime(TODAY)
  const scope = yield* Scope.make()
  const run = yield* Effect.gen(function* () {
    yield* publish(...masters, original)
    yield* pass(20)
    const runId = yield* uploaded([changed])
    yield* begin(runId)
    for (let tries = 0; !(yield* reached); tries++) {
      assert.isBelow(tries, 300, "the step is reached")
      yield* pass(0.1)
    }
    return runId
  }).pipe(Effect.provide(yield* Layer.buildWithScope(running(), scope)))
  // Time passes while what is in flight is settled.
  yield* Effect.all([Scope.close(scope, Exit.void), pass(3)], { concurrency: 2 })
  return run
})
const books = (standIn: StandIn): string => [...standIn.store.dump()].join("\n")

describe("credit and rebill", () => {
  it.effect("credits what is posted and bills it anew, once, however often it is applied", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...masters, original)
      yield* pass(20)
      const first = yield* uploaded([changed])
      const [[key, finding, note]] = (yield* findings(first)) as [[string, string, string]]
      assert.deepStrictEqual([key, finding], ["INV-1", "changed"])
      assert.match(note, /credited by INV-1-c-[0-9a-f]{12}, and billed anew as INV-1-r-[0-9a-f]{12}/u)
      assert.deepStrictEqual(documents(world.standIn), ["out_invoice INV-1 posted"], "a dry run writes nothing")
      yield* begin(first)
      yield* pass(30)
      assert.deepStrictEqual(yield* outcomesOf(first), ["done", { rebilled: 1 }])
      assert.deepStrictEqual(documents(world.standIn), corrected)
      assert.deepStrictEqual((yield* tallies()).get("credit-notes")?.applied, 1)

      const before = books(world.standIn)
      const second = yield* uploaded([changed])
      assert.deepStrictEqual((yield* findings(second)).map(([, finding]) => finding), ["superseded"])
      yield* begin(second)
      yield* pass(10)
      assert.deepStrictEqual(yield* outcomesOf(second), ["done", {}])
      assert.strictEqual(books(world.standIn), before)
    }).pipe(Effect.provide(today), Effect.provide(world.layer))
  }, 60_000)

  it.effect("ends what a process began that died, at whatever step", () =>
    Effect.gen(function* () {
      for (const [step, reached] of steps) {
        const world = ports()
        yield* Effect.gen(function* () {
          const run = yield* diedAt(reached(world.standIn))
          yield* pass(40).pipe(Effect.provide(running()))
          assert.deepStrictEqual(documents(world.standIn), corrected, step)
          const [state, outcomes] = yield* outcomesOf(run)
          assert.strictEqual(state, "done", step)
          // What was billed anew before the end is found so.
          assert.include(["rebilled", "superseded"], Object.keys(outcomes ?? {}).join(), step)
        }).pipe(Effect.provide(world.layer), Effect.scoped)
      }
    }), 120_000)

  it.effect(
    "goes on where a cancelled run left off, whoever asks for it and on whatever day",
    () =>
      Effect.gen(function* () {
        const world = ports()
        yield* Effect.gen(function* () {
          const first = yield* diedAt(published("credit-note"))
          yield* Runs.use((runs) => runs.change("be01", first, ["applying"], { state: "cancelled" }))
          yield* TestClock.adjust("1 day")
          yield* Effect.gen(function* () {
            yield* pass(10)
            const half = ["out_invoice INV-1 posted", "out_refund INV-1-c posted"]
            assert.deepStrictEqual(documents(world.standIn), half, "credited, and not billed anew")
            const second = yield* uploaded([changed], "credit-and-rebill", "bob")
            yield* begin(second)
            yield* pass(30)
            assert.deepStrictEqual(yield* outcomesOf(second), ["done", { rebilled: 1 }])
          }).pipe(Effect.provide(running()))
          assert.deepStrictEqual(documents(world.standIn), corrected)
          const tally = (yield* tallies()).get("credit-notes")
          assert.deepStrictEqual([tally?.applied, tally?.parked], [1, 0], "nothing is taken for another credit note")
        }).pipe(Effect.provide(world.layer), Effect.scoped)
      }),
    60_000,
  )

  it.effect("leaves the payment of a paid invoice where it is: the credit note is open for the customer", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...masters, original)
      yield* publish(publication("payment.received", { ...payment, invoices: ["INV-1"] }))
      yield* pass(20)
      const run = yield* uploaded([changed])
      yield* begin(run)
      yield* pass(30)
      assert.deepStrictEqual(yield* outcomesOf(run), ["done", { rebilled: 1 }])
      assert.deepStrictEqual(documents(world.standIn), corrected)
    }).pipe(Effect.provide(today), Effect.provide(world.layer))
  }, 60_000)

  it.effect("changes a draft where it stands, and leaves alone what is posted and no invoice", () => {
    const world = ports()
    return Effect.gen(function* () {
      const { standIn } = world
      const unmatched = { ...payment, invoices: [] }
      yield* publish(...masters, original, publication("payment.received", unmatched))
      yield* pass(20)
      const [move] = [...standIn.store.tables.get("account.move")!.rows.values()].filter(({ ref }) => ref === "INV-1")
      yield* makeOdoo(standIn).call({
        database: "main",
        model: "account.move",
        method: "button_draft",
        ids: [move!.id],
        context: { allowed_company_ids: [3] },
      })
      const run = yield* uploaded([changed, publication("payment.received", { ...unmatched, date: "2026-11-04" })])
      const found = yield* findings(run)
      assert.deepStrictEqual(found.map(([key, finding]) => [key, finding]), [["INV-1", "changed"], [
        "PAY-1",
        "changed",
      ]])
      assert.include(String(found[1]![2]), "no document that can be billed anew: it is left alone")
      yield* begin(run)
      yield* pass(30)
      assert.deepStrictEqual(yield* outcomesOf(run), ["done", { applied: 1 }])
      assert.deepStrictEqual(documents(standIn), ["out_invoice INV-1 posted"])
      const paid = [...standIn.store.tables.get("account.payment")!.rows.values()].map(({ date }) => date)
      assert.deepStrictEqual(paid, [payment.date])
    }).pipe(Effect.provide(today), Effect.provide(world.layer))
  }, 60_000)

  it.effect("says why when the credit note does not get through, and bills nothing anew", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...masters, original)
      yield* pass(20)
      const run = yield* uploaded([changed])
      world.standIn.lock(3, "fiscalyear", "2026-12-31")
      yield* begin(run)
      yield* pass(40)
      const [state, outcomes] = yield* outcomesOf(run)
      assert.deepStrictEqual([state, outcomes], ["done", { refused: 1 }])
      const [[, , note]] = (yield* findings(run)) as [[string, string, string]]
      assert.match(note, /credit-note.requested INV-1-c-[0-9a-f]+ is parked/u)
      assert.deepStrictEqual(documents(world.standIn), ["out_invoice INV-1 posted", "out_refund INV-1-c draft"])
    }).pipe(Effect.provide(today), Effect.provide(world.layer))
  }, 60_000)
})
