/** Proofs of completeness through both doors: asked for, drilled into, filed as a page, signed off by somebody else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { hashOf } from "../../src/reconcile/Report.ts"
import { customer, engagement, invoice } from "../streams/samples.ts"
import { pass, publication, publish } from "../simulation/World.ts"
import { office, request, type Said, tokenFor, weir } from "./Office.ts"

const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("invoice.requested", invoice),
]
const period = "2026-10"

/** The engine starts when October is over. */
const inNovember = (place: ReturnType<typeof office>) => <A, E, R>(body: Effect.Effect<A, E, R>) =>
  TestClock.setTime(Date.UTC(2026, 10, 2)).pipe(
    Effect.andThen(body.pipe(Effect.provide(place.layer))),
    Effect.scoped,
  )

/** A person edits a line of the invoice. */
const edited = (standIn: StandIn) =>
  Effect.gen(function* () {
    const rows = (model: string) => [...standIn.store.tables.get(model)!.rows.values()]
    const [move] = rows("account.move").filter((row) => row["move_type"] === "out_invoice")
    const line = rows("account.move.line").find((row) => row["move_id"] === move!.id && row["name"] === "Travel")!
    const odoo = makeOdoo(standIn)
    const call = (model: string, method: string, ids: ReadonlyArray<number>, args = {}) =>
      odoo.call({ database: "main", model, method, ids, args, context: { allowed_company_ids: [3] } })
    yield* call("account.move", "button_draft", [move!.id])
    yield* call("account.move.line", "write", [line.id], { vals: { price_unit: 3.23 } })
    yield* call("account.move", "action_post", [move!.id])
  })

/** Time passes while a command waits for the service. */
const meanwhile = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    self,
    Effect.forever(Effect.andThen(
      TestClock.adjust("100 millis"),
      Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 2))),
    )),
  )

const lastOf = ({ stdout }: Said) => JSON.parse(stdout.split("\n").at(-1) ?? "")

describe("reconciliations", () => {
  it.effect("over HTTP: a proof, its mismatches, its page, and somebody else who stands for it", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      yield* edited(place.standIn)
      const [ada, eve] = [yield* tokenFor("ada", ["operator", "approver"]), yield* tokenFor("eve", ["approver"])]
      const started = yield* request("/v1/reconciliations", { body: { entity: "be01", period }, token: ada })
      assert.strictEqual(started.status, 202, JSON.stringify(started.body))
      const at = `/v1/reconciliations/${started.body.runId}`
      const runs = yield* Runs
      const ended = { entity: "be01", runId: "ended", kind: "reconciliation", state: "cancelled" } as const
      yield* runs.open({ ...ended, request: { period }, requestedBy: "zoe", reason: "x" })
      const none = "/v1/reconciliations/ended"
      assert.strictEqual((yield* request(`${none}/report`)).status, 409, "nothing was proven")
      assert.strictEqual((yield* request(`${none}/signature`, { body: { reason: "x" }, token: eve })).status, 409)
      yield* pass(8)
      const [part] = (yield* request(at)).body.parts
      assert.deepStrictEqual([part.state, part.mismatches, part.signature], ["done", 1, null])
      const invoices = part.report.flows.find(({ flow }: { flow: string }) => flow === "invoices")
      assert.deepStrictEqual([invoices.complete, invoices.mismatches], [false, { amount: 1 }])
      assert.deepStrictEqual(
        [invoices.odoo.due["EUR amount_untaxed"], invoices.odoo.standing["EUR amount_untaxed"]],
        ["912.11", "913.11"],
      )
      const drilled = yield* request(`${at}/mismatches?kind=amount`)
      assert.deepStrictEqual(drilled.body.items.map((one: { key: string }) => one.key), ["INV-1"])
      assert.include(JSON.stringify(drilled.body.items[0].detail), "amount_untaxed")
      assert.deepStrictEqual((yield* request(`${at}/mismatches?kind=deleted`)).body.items, [])

      const page = yield* request(`${at}/report`)
      assert.match(page.headers.get("content-type")!, /^text\/html/u)
      assert.include(page.body, "INV-1")
      assert.notMatch(page.body, /<script|<link|https?:\/\//u, "nothing from outside")

      const sign = (token: string) =>
        request(`${at}/signature`, { body: { reason: "explained by the credit note of 3 November" }, token })
      assert.strictEqual((yield* sign(ada)).status, 403, "who asked for it")
      const signed = yield* sign(eve)
      assert.strictEqual(signed.status, 200, JSON.stringify(signed.body))
      const { report, signature } = signed.body.parts[0]
      assert.deepStrictEqual([signature.by, signature.hash], ["eve", hashOf(report)])
      assert.strictEqual((yield* sign(eve)).status, 409, "once")
      assert.include((yield* request(`${at}/report`)).body, signature.hash)
      const trail = yield* request("/v1/audit/be01?limit=10")
      const entry = trail.body.items.find(({ action }: { action: string }) => action === "reconciliation.signed")
      assert.strictEqual(JSON.parse(entry.detail).hash, signature.hash)
    }).pipe(inNovember(place))
  }, 60_000)

  it.effect("on the command line: figures, a page to file, and an exit code that says whether all agrees", () => {
    const place = office()
    const folder = mkdtempSync(join(tmpdir(), "weir-proof-"))
    const file = join(folder, "october.html")
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      const args = ["reconcile", "--entity", "be01", "--period", period]
      const whole = yield* meanwhile(weir([...args, "--report", file]))
      assert.strictEqual(whole.code, 0, whole.message)
      assert.match(whole.stdout, /be01\s+invoices\s+1\s+0\s+1\s+0\s+1\s+equal\s+complete/u)
      assert.match(whole.stdout, /EUR amount_total\s+1103\.65\s+1103\.65\s+1103\.65/u)
      assert.include(readFileSync(file, "utf8"), "Proof of completeness")
      yield* edited(place.standIn)
      // Lists begin with the youngest: not of the same millisecond.
      yield* pass(1)
      const broken = yield* meanwhile(weir([...args, "--json"]))
      assert.strictEqual(broken.code, 3)
      const listed = lastOf(yield* weir(["reconciliations", "list", "--json"]))
      assert.deepStrictEqual(
        listed.items.map((
          { complete, mismatches }: { complete: boolean; mismatches: number },
        ) => [complete, mismatches]),
        [[false, 1], [true, 0]],
      )
      const run = listed.items[0].runId
      assert.include((yield* weir(["reconciliations", "mismatches", run])).stdout, "amount_untaxed")
      assert.include((yield* weir(["reconciliations", "report", run])).stdout, "</html>")
      assert.strictEqual((yield* weir(["reconciliations", "cancel", run])).code, 1)
      assert.strictEqual((yield* weir(["reconcile", "--entity", "be01", "--period", "October"])).code, 2)
      assert.strictEqual((yield* weir([...args, "--flow", "nothing"])).code, 2)
    }).pipe(
      Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true, force: true }))),
      inNovember(place),
    )
  }, 60_000)

  it.effect("shows amounts to those who are cleared for them, and nothing of other entities", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      yield* edited(place.standIn)
      const { body } = yield* request("/v1/reconciliations", { body: { entity: "be01", period } })
      yield* pass(8)
      const at = `/v1/reconciliations/${body.runId}`
      const [viewer, approver] = [yield* tokenFor("vic", ["viewer"]), yield* tokenFor("eve", ["approver"])]
      const other = yield* tokenFor("mallory", ["operator", "approver"], ["uk01"])
      const all = (token: string) =>
        Effect.map(
          Effect.forEach([at, `${at}/mismatches`, `${at}/report`], (path) => request(path, { token })),
          (answers) => answers.map(({ body }) => JSON.stringify(body)).join("\n"),
        )
      assert.include(yield* all(approver), "913.11")
      const seen = yield* all(viewer)
      assert.include(seen, "INV-1")
      assert.notInclude(seen, "913.11")
      assert.notInclude(seen, "912.11")
      for (const path of [at, `${at}/mismatches`, `${at}/report`]) {
        assert.strictEqual((yield* request(path, { token: other })).status, 403, path)
      }
    }).pipe(inNovember(place))
  }, 60_000)
})
