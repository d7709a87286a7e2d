import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { Control, ControlAnswer, ControlFailed } from "../../src/http/Control.ts"
import { address, layer } from "../../src/http/Server.ts"
import { Health, StatusSource } from "../../src/http/Status.ts"

const answer = { entity: "be01", done: true, state: "running", mode: "hold", override: null, close: null } as const

/** What a service says to `POST path`, and which orders it got. */
const post = (path: string, body: unknown, type = "application/json") =>
  Effect.gen(function* () {
    const orders: Array<unknown> = []
    const given = (order: string) => (entity: string, request: object) =>
      Effect.suspend(() => {
        orders.push([order, entity, { ...request }])
        if (entity === "zz99") return Effect.fail(new ControlFailed({ status: 404, message: "zz99 is unknown" }))
        return entity === "be02"
          ? Effect.fail(new ControlFailed({ status: 409, message: "be02 is stopped" }))
          : Effect.succeed({ ...answer, done: entity === "be01" })
      })
    const control = { mode: given("mode"), close: given("close"), drain: given("drain"), resume: given("resume") }
    const response = yield* Effect.gen(function* () {
      const request = HttpClientRequest.post(`${yield* address}${path}`).pipe(
        HttpClientRequest.bodyText(JSON.stringify(body), type),
      )
      const { headers, status, text } = yield* HttpClient.execute(request)
      return { status, type: headers["content-type"], body: yield* text }
    }).pipe(
      Effect.provide(
        layer({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide([
          Layer.mock(Health, {}),
          Layer.mock(StatusSource, {}),
          Layer.succeed(Control, control),
        ])),
      ),
      Effect.provide(FetchHttpClient.layer),
    )
    return { ...response, orders }
  })

const decoded = Schema.decodeUnknownSync(Schema.fromJsonString(ControlAnswer))

describe("the endpoints that change something", () => {
  it.live("give the order and answer how the entity stands", () =>
    Effect.gen(function* () {
      const body = { mode: "hold", reason: "upgrade", actor: "ada" }
      const { body: said, orders, status } = yield* post("/entities/be01/mode", body)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(decoded(said), answer)
      assert.deepStrictEqual(orders, [["mode", "be01", body]])
      for (const command of ["drain", "resume"]) {
        const { orders, status } = yield* post(`/entities/be01/${command}`, { actor: "ada" })
        assert.deepStrictEqual([status, orders], [200, [[command, "be01", { actor: "ada" }]]])
      }
    }))

  it.live("answer 202 when what is in flight has to be settled first", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post("/entities/be03/drain", { actor: "ada" })).status, 202)
    }))

  it.live("refuse a wrong body with problem details, and give no order", () =>
    Effect.gen(function* () {
      for (
        const wrong of [
          {},
          { mode: "sleep", reason: "x", actor: "ada" },
          { mode: "hold", actor: "ada" },
          { mode: "hold", reason: "", actor: "ada" },
          { mode: "hold", reason: "x", actor: "ada", until: "soon" },
          { mode: "hold", reason: "x", actor: "ada", until: "2020-01-01T00:00:00Z" },
          { mode: "auto", reason: "x", actor: "ada", until: "2999-01-01T00:00:00Z" },
        ]
      ) {
        const { orders, status, type } = yield* post("/entities/be01/mode", wrong)
        assert.deepStrictEqual([status, orders], [400, []], JSON.stringify(wrong))
        assert.include(type, "application/problem+json")
      }
    }))

  it.live("say why an order is not carried out", () =>
    Effect.gen(function* () {
      const unknown = yield* post("/entities/zz99/drain", { actor: "ada" })
      assert.strictEqual(unknown.status, 404)
      assert.include(unknown.body, "zz99 is unknown")
      assert.strictEqual((yield* post("/entities/be02/resume", { actor: "ada" })).status, 409)
    }))

  it.live("take no body that a foreign page could make a browser send", () =>
    Effect.gen(function* () {
      for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
        const { orders, status } = yield* post("/entities/be01/drain", { actor: "ada" }, type)
        assert.deepStrictEqual([status, orders], [415, []])
      }
    }))
})
