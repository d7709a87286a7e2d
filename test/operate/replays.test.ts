/** Replays through both doors: who may do what, and that one operation is the same through either. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { make as makeOdoo } from "../../fixtures/odoo/StandInOdoo.ts"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { customer, engagement, invoice } from "../streams/samples.ts"
import { pass, publication, publish } from "../simulation/World.ts"
import { office, request, type Said, tokenFor, weir } from "./Office.ts"

const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
  publication("invoice.requested", invoice),
]
const reason = "audit"

const moves = (standIn: StandIn) =>
  [...standIn.store.tables.get("account.move")!.rows.values()].filter((row) => row["move_type"] === "out_invoice")

/** A person takes the invoice out of Odoo. */
const deleted = (standIn: StandIn) =>
  Effect.gen(function* () {
    const odoo = makeOdoo(standIn)
    for (const method of ["button_draft", "unlink"]) {
      const ids = moves(standIn).map(({ id }) => id)
      yield* odoo.call({ database: "main", model: "account.move", method, ids, context: { allowed_company_ids: [3] } })
    }
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

/** What the last command wrote as JSON: the console of a test is one for all. */
const lastOf = ({ stdout }: Said) => JSON.parse(stdout.split("\n").at(-1) ?? "")

describe("replays", () => {
  it.effect("over HTTP: a dry run, its findings, applying them", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      yield* deleted(place.standIn)
      const started = yield* request("/v1/replays", { body: { subject: "erp.be01.>", reason, keepAll: true } })
      assert.strictEqual(started.status, 202, JSON.stringify(started.body))
      const run = started.body.runId
      yield* pass(8)
      const { body } = yield* request(`/v1/replays/${run}`)
      assert.deepStrictEqual(
        body.parts.map((part: { state: string; findings: unknown }) => [part.state, part.findings]),
        [
          ["examined", { customers: { there: 1 }, engagements: { there: 1 }, invoices: { create: 1 } }],
        ],
      )
      const page = yield* request(`/v1/replays/${run}/findings?class=create`)
      assert.deepStrictEqual(page.body.items.map((one: { key: string }) => one.key), ["INV-1"])
      const first = yield* request(`/v1/replays/${run}/findings?limit=2`)
      const next = yield* request(`/v1/replays/${run}/findings?limit=2&after=${first.body.next}`)
      assert.deepStrictEqual([first.body.items.length, next.body.items.length, next.body.next], [2, 1, null])
      assert.strictEqual((yield* request(`/v1/replays/${run}/apply`, { body: {} })).status, 202)
      yield* pass(20)
      const done = yield* request(`/v1/replays/${run}`)
      assert.deepStrictEqual([done.body.parts[0].state, done.body.parts[0].outcomes], ["done", { applied: 1 }])
      assert.deepStrictEqual(moves(place.standIn).map((row) => row["state"]), ["posted"])
      assert.strictEqual((yield* request(`/v1/replays/${run}/apply`, { body: {} })).status, 409)
      assert.strictEqual((yield* request("/v1/replays/nobody")).status, 404)
      const trail = yield* request("/v1/audit/be01?limit=10")
      const actions = trail.body.items.map((one: { action: string; detail: string }) =>
        one.action === "operation.allowed" ? JSON.parse(one.detail).operation : one.action
      )
      assert.deepStrictEqual(actions.filter((name: string) => name.startsWith("replay")), [
        "replays.apply",
        "replay.done",
        "replays.apply",
        "replays.start",
      ])
    }).pipe(Effect.provide(place.layer), Effect.scoped)
  }, 60_000)

  it.effect("on the command line: the same, with its totals", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      yield* deleted(place.standIn)
      const dry = yield* meanwhile(weir(["replay", "erp.be01.>", "--reason", reason]))
      assert.strictEqual(dry.code, 0, dry.message)
      assert.match(dry.stdout, /be01\s+examined\s+invoices\s+create\s+1/u)
      assert.include(dry.stdout, "account.move weir_be01.invoices_INV-1 is missing")
      assert.include(dry.stdout, "Nothing was written")
      assert.strictEqual(moves(place.standIn).length, 0)
      const told = yield* meanwhile(weir(["replay", "erp.be01.>", "--reason", reason, "--apply", "--json"]))
      const answer = lastOf(told)
      assert.deepStrictEqual([answer.parts[0].state, answer.parts[0].outcomes], ["done", { applied: 1 }])
      assert.strictEqual(moves(place.standIn).length, 1)
      const listed = yield* weir(["replays", "list", "--json"])
      assert.strictEqual(lastOf(listed).items.length, 2)
      assert.strictEqual((yield* weir(["replay", "erp.de99.>", "--reason", reason])).code, 2)
      assert.strictEqual((yield* weir(["replay", "nonsense", "--reason", reason])).code, 2)
    }).pipe(Effect.provide(place.layer), Effect.scoped)
  }, 60_000)

  it.effect("what a file brings, another person lets through", () => {
    const place = office()
    const folder = mkdtempSync(join(tmpdir(), "weir-replay-"))
    const file = join(folder, "events.ndjson")
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      const line = {
        specversion: "1.0",
        id: "new",
        source: "test",
        type: "invoice.requested",
        data: { ...invoice, key: "INV-9" },
      }
      writeFileSync(file, JSON.stringify({ subject: "erp.be01.invoice.requested", envelope: line }))
      const [ada, eve] = [yield* tokenFor("ada", ["operator", "approver"]), yield* tokenFor("eve", ["approver"])]
      const args = ["replay", "erp.be01.>", "--file", file, "--reason", reason, "--json"]
      const dry = yield* meanwhile(weir(args, { token: ada }))
      assert.strictEqual(dry.code, 0, dry.message)
      const { parts, runId } = lastOf(dry)
      assert.deepStrictEqual(parts[0].findings, { invoices: { create: 1 } })
      const let_ = (verb: string, token: string) => request(`/v1/replays/${runId}/${verb}`, { body: {}, token })
      assert.strictEqual((yield* let_("apply", ada)).status, 409)
      assert.strictEqual((yield* let_("release", ada)).status, 403, "who asked for it")
      assert.strictEqual((yield* let_("apply", eve)).status, 403, "approvers do not operate")
      assert.strictEqual((yield* let_("release", eve)).status, 202)
      yield* pass(20)
      assert.deepStrictEqual(moves(place.standIn).map((row) => row["ref"]).sort(), ["INV-1", "INV-9"])
    }).pipe(
      Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true, force: true }))),
      Effect.provide(place.layer),
      Effect.scoped,
    )
  }, 60_000)

  it.effect(
    "what corrects posted documents, another person lets through, who then has approved the credit note",
    () => {
      const place = office()
      const folder = mkdtempSync(join(tmpdir(), "weir-replay-"))
      const file = join(folder, "events.ndjson")
      return Effect.gen(function* () {
        yield* publish(...events)
        yield* pass(20)
        const data = { ...invoice, dueDate: "2026-12-15" }
        const line = { specversion: "1.0", id: "new", source: "test", type: "invoice.requested", data }
        writeFileSync(file, JSON.stringify({ subject: "erp.be01.invoice.requested", envelope: line }))
        const [ada, eve] = [yield* tokenFor("ada", ["operator", "approver"]), yield* tokenFor("eve", ["approver"])]
        const args = ["replay", "erp.be01.>", "--file", file, "--on-changed", "credit-and-rebill", "--reason", reason]
        const dry = yield* meanwhile(weir(args, { token: ada }))
        assert.strictEqual(dry.code, 0, dry.message)
        assert.include(dry.stdout, "billed anew as INV-1-r-")
        const { runId } = (yield* request("/v1/replays", { token: ada })).body.items[0]
        assert.strictEqual((yield* weir(["replays", "release", runId], { token: ada })).code, 1, "who asked for it")
        const released = yield* weir(["replays", "release", runId], { token: eve })
        assert.strictEqual(released.code, 0, released.message)
        yield* pass(30)
        const done = yield* request(`/v1/replays/${runId}`, { token: eve })
        assert.deepStrictEqual(done.body.parts[0].outcomes, { rebilled: 1 })
        const kinds = moves(place.standIn).map((row) => `${row["move_type"]} ${row["state"]}`).toSorted()
        assert.deepStrictEqual(kinds, ["out_invoice posted", "out_invoice posted"])
      }).pipe(
        Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true, force: true }))),
        Effect.provide(place.layer),
        Effect.scoped,
      )
    },
    60_000,
  )

  it.effect("looks for what another system has made, by both doors, and applies nothing of it", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      const before = moves(place.standIn).length
      const seen = yield* meanwhile(weir(["replay", "erp.be01.>", "--alike", "--reason", reason]))
      assert.strictEqual(seen.code, 0, seen.message)
      assert.notInclude(seen.stdout, "replays apply")
      const { body } = yield* request("/v1/replays", { body: { subject: "erp.be01.>", alike: true, reason } })
      yield* pass(8)
      const refused = yield* request(`/v1/replays/${body.runId}/apply`, { body: {} })
      assert.strictEqual(refused.status, 409)
      assert.include(refused.body.detail, "another system")
      assert.strictEqual((yield* weir(["replays", "apply", body.runId])).code, 1)
      assert.strictEqual(moves(place.standIn).length, before)
    }).pipe(Effect.provide(place.layer), Effect.scoped)
  }, 60_000)

  it.effect("shows values to those who are cleared for them, and nothing of other entities", () => {
    const place = office()
    return Effect.gen(function* () {
      yield* publish(...events)
      yield* pass(20)
      const odoo = makeOdoo(place.standIn)
      const partner = [...place.standIn.store.tables.get("res.partner")!.rows.values()].find(({ ref }) =>
        ref === customer.key
      )!
      yield* odoo.call({
        database: "main",
        model: "res.partner",
        method: "write",
        ids: [partner.id],
        args: { vals: { name: "Renamed" } },
      })
      const { body } = yield* request("/v1/replays", { body: { subject: "erp.be01.customer.>", reason } })
      yield* pass(8)
      const path = `/v1/replays/${body.runId}/findings`
      const seen = (token?: string) => request(path, token === undefined ? {} : { token })
      const [operator, viewer] = [yield* tokenFor("ada", ["operator"]), yield* tokenFor("eve", ["viewer"])]
      const other = yield* tokenFor("mallory", ["operator"], ["uk01"])
      const open = JSON.stringify((yield* seen(operator)).body)
      assert.include(open, "Renamed")
      const masked = JSON.stringify((yield* seen(viewer)).body)
      assert.notInclude(masked, "Renamed")
      assert.include(masked, `"field":"name"`)
      assert.strictEqual((yield* seen(other)).status, 403)
      const order = { body: { subject: "erp.be01.>", reason }, token: viewer }
      assert.strictEqual((yield* request("/v1/replays", order)).status, 403)
    }).pipe(Effect.provide(place.layer), Effect.scoped)
  }, 60_000)
})
