import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { customer, invoice } from "../streams/samples.ts"
import { publication, publish, tallies } from "../simulation/World.ts"
import { office, request, weir } from "./Office.ts"

const trail = (entity = "be01") => Ledger.use((ledger) => ledger.audit({ entity, after: null, limit: 100 }))
const acts = Effect.map(
  trail(),
  (records) => records.map(({ action, actor, detail }) => [action, actor, JSON.parse(detail)]),
)
/** Waits in real time: what is asked for is on its way through the actor. */
const eventually = <A, E, R>(question: Effect.Effect<A, E, R>, holds: (answer: A) => boolean) =>
  question.pipe(
    Effect.tap((answer) => holds(answer) ? Effect.void : Effect.sleep("20 millis")),
    Effect.repeat({ until: holds, times: 250 }),
  )

describe("orders to a legal entity", () => {
  it.live("are carried out and recorded, whichever door they come through", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const held = yield* request("/v1/entities/be01/mode", {
        body: { mode: "hold", reason: "upgrade" },
        headers: { "x-weir-actor": "ada" },
      })
      assert.strictEqual(held.status, 200)
      assert.deepInclude(held.body, { done: true, entity: "be01", state: "stopped", mode: "hold" })
      assert.deepStrictEqual(held.body.override, { actor: "ada", reason: "upgrade", untilMillis: null })
      const lifted = yield* weir(["mode", "be01", "auto", "--reason", "upgrade done", "--by", "eve"])
      assert.deepInclude(lifted, { code: 0, stdout: "be01: running, mode full (decided by weir)" })
      const drained = yield* weir(["drain", "be01", "--json", "--by", "eve"])
      assert.deepInclude(JSON.parse(drained.stdout), { done: true, state: "stopped" })
      assert.strictEqual((yield* request("/v1/entities/be01/resume", { body: {} })).status, 200)
      yield* eventually(acts, (all) => all.some(([action]) => action === "resumed"))
      assert.deepStrictEqual(
        (yield* acts).map(([action, actor, { operation = "" }]) => `${action} ${actor} ${operation}`.trim()),
        [
          "operation.allowed ada entity.mode",
          "mode.changed ada",
          "operation.allowed eve entity.mode",
          "mode.changed eve",
          "operation.allowed eve entity.drain",
          "drained eve",
          "operation.allowed local entity.resume",
          "resumed local",
        ],
      )
    }).pipe(Effect.provide(office().layer)))

  it.live("pause one flow and let it go on, while the others work", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const paused = yield* weir(["flow", "pause", "be01", "invoices", "--reason", "prices", "--by", "ada"])
      assert.strictEqual(paused.stdout, "be01: running, mode full (decided by weir); invoices paused by ada")
      yield* publish(publication("customer.upserted", customer), publication("invoice.requested", invoice))
      const applied = (flow: string) => Effect.map(tallies(), (rows) => rows.get(flow)?.applied ?? 0)
      yield* eventually(applied("customers"), (count) => count === 1)
      const status = yield* request("/v1/status?entity=be01")
      const row = status.body.rows.find(({ flow }: { flow: string }) => flow === "invoices")
      assert.deepInclude(row, { state: "stopped", paused: "ada: prices", backlog: 1, applied: 0 })
      const flows = "/v1/entities/be01/flows"
      const resumed = yield* request(`${flows}/invoices/resume`, { body: { reason: "mended" } })
      assert.deepStrictEqual([resumed.status, resumed.body.paused], [200, []])
      yield* eventually(applied("invoices"), (count) => count === 1)
      assert.strictEqual((yield* request(`${flows}/nonsense/pause`, { body: { reason: "x" } })).status, 404)
    }).pipe(Effect.provide(office().layer)))

  it.live("lift a pause by themselves when its time is over", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const soon = new Date(Date.now() + 400).toISOString()
      const body = { reason: "a moment", until: soon }
      assert.strictEqual((yield* request("/v1/entities/be01/flows/invoices/pause", { body })).status, 200)
      yield* eventually(
        request("/v1/status?entity=be01"),
        ({ body }) => body.rows.every(({ paused }: { paused: string }) => paused === ""),
      )
      const [action, actor, detail] = (yield* acts).at(-1) ?? []
      assert.deepStrictEqual([action, actor, detail.flow], ["flow.resumed", "weir", "invoices"])
    }).pipe(Effect.provide(office().layer)))

  it.live("are refused with a problem, and recorded as refused or not at all", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const mode = (body: unknown) => request("/v1/entities/be01/mode", { body })
      for (
        const wrong of [
          {},
          { mode: "sleep", reason: "x" },
          { mode: "hold" },
          { mode: "hold", reason: "" },
          { mode: "hold", reason: "x", until: "soon" },
          "no json",
        ]
      ) {
        const { body, headers, status } = yield* mode(wrong)
        assert.strictEqual(status, 400, JSON.stringify(wrong))
        assert.include(headers.get("content-type"), "application/problem+json")
        assert.strictEqual(body.type, "urn:weir:problem:malformed")
      }
      const past = yield* mode({ mode: "hold", reason: "x", until: "2020-01-01T00:00:00Z" })
      assert.deepStrictEqual([past.status, past.body.detail], [422, "until is in the past."])
      assert.strictEqual((yield* mode({ mode: "auto", reason: "x", until: "2999-01-01T00:00:00Z" })).status, 422)
      const unknown = yield* weir(["drain", "zz99"])
      assert.strictEqual(unknown.code, 2)
      assert.include(unknown.message, "zz99 is not in the configuration. There are: be01, uk01.")
      const installation = yield* trail("_weir")
      assert.deepStrictEqual(installation.map(({ action }) => action), ["operation.denied"])
      yield* weir(["drain", "be01"])
      const stopped = yield* weir(["mode", "be01", "full", "--reason", "x"])
      assert.deepStrictEqual([stopped.code, stopped.message.includes("be01 is stopped")], [1, true])
    }).pipe(Effect.provide(office().layer)))

  it.live("take no body that a foreign page could make a browser send", () =>
    Effect.gen(function* () {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", undefined]) {
        const { body, status } = yield* request("/v1/entities/be01/drain", {
          method: "POST",
          headers: type === undefined ? {} : { "content-type": type },
        })
        assert.deepStrictEqual([status, body.type], [415, "urn:weir:problem:not-json"])
      }
      assert.deepStrictEqual(yield* trail(), [])
    }).pipe(Effect.provide(office().layer)))
})

describe("an order that is sent again", () => {
  it.live("under the same key is carried out once and answered alike", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const order = (body: unknown, key: string) =>
        request("/v1/entities/be01/mode", { body, headers: { "idempotency-key": key } })
      const first = yield* order({ mode: "hold", reason: "x" }, '"k-1"')
      yield* request("/v1/entities/be01/mode", { body: { mode: "auto", reason: "y" } })
      const again = yield* order({ mode: "hold", reason: "x" }, "k-1")
      assert.deepStrictEqual([again.status, again.body], [first.status, first.body])
      assert.strictEqual(again.headers.get("idempotency-replayed"), "true")
      assert.strictEqual(
        (yield* Ledger.use((ledger) => ledger.standing("be01")))?.mode,
        "full",
        "not carried out again",
      )
      const other = yield* order({ mode: "drafts", reason: "x" }, "k-1")
      assert.deepStrictEqual([other.status, other.body.type], [422, "urn:weir:problem:invalid"])
      assert.strictEqual((yield* order({ mode: "hold", reason: "x" }, "with blanks")).status, 400)
    }).pipe(Effect.provide(office().layer)))

  it.live("is carried out under its key when it was refused before", () =>
    Effect.gen(function* () {
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const hold = request("/v1/entities/be01/mode", {
        body: { mode: "hold", reason: "x" },
        headers: { "idempotency-key": "k-2" },
      })
      yield* request("/v1/entities/be01/drain", { body: {} })
      assert.strictEqual((yield* hold).status, 409)
      yield* request("/v1/entities/be01/resume", { body: {} })
      yield* eventually(request("/readyz"), ({ status }) => status === 200)
      const done = yield* eventually(hold, ({ status }) => status !== 409)
      assert.deepStrictEqual([done.status, done.headers.get("idempotency-replayed")], [200, null])
    }).pipe(Effect.provide(office().layer)))
})
