import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, Redacted, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Buffer } from "node:buffer"
import type { AddressInfo } from "node:net"
import { Dependencies, type Dependency, DependencyDown, DependencyRefused } from "../../src/actor/modes/Dependencies.ts"
import { type HttpServiceOptions, layer } from "../../src/services/HttpService.ts"

interface Seen {
  readonly method: string
  readonly url: string
  readonly authorization: string
  readonly body: string
}

/** A service on a free port; gone with the scope. */
const serve = (answer: (seen: Seen, response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const server = createServer((request: IncomingMessage, response) => {
      const chunks: Array<Uint8Array> = []
      request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
      request.on("end", () => {
        const one = {
          method: request.method ?? "",
          url: request.url ?? "",
          authorization: request.headers.authorization ?? "",
          body: new TextDecoder().decode(Buffer.concat(chunks)),
        }
        seen.push(one)
        answer(one, response)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        }),
    )
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/quote`, seen }
  })

const serviceOf = (options: HttpServiceOptions): Effect.Effect<Required<Dependency>, never, Scope.Scope> =>
  Effect.map(Layer.build(layer(new Map([["tax", options]]))), (context) => {
    const service = Effect.runSync(Dependencies.pipe(Effect.provideContext(context))).get("tax")
    if (service?.ask === undefined) throw new Error("no service tax")
    return { probe: service.probe, ask: service.ask }
  })

const timeout = Duration.seconds(5)
const say = (status: number, body: unknown) => (_: Seen, response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(typeof body === "string" ? body : JSON.stringify(body))
}

describe("HttpService", () => {
  it.live("posts entity and question with its token, and takes the answer", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve(say(200, { taxCode: "S21" }))
      const key = Effect.succeed(Redacted.make("secret"))
      const { ask } = yield* serviceOf({ url, timeout, key })
      assert.deepStrictEqual(yield* ask("be01", { key: "INV-1" }), { taxCode: "S21" })
      assert.deepStrictEqual(seen, [{
        method: "POST",
        url: "/quote",
        authorization: "Bearer secret",
        body: '{"entity":"be01","question":{"key":"INV-1"}}',
      }])
    }))

  it.live("tells what it cannot answer from not working", () =>
    Effect.gen(function* () {
      const cases = [
        [say(422, { detail: "no rate for ZZ" }), "DependencyRefused", /no rate for ZZ/u],
        [say(422, { message: "unknown product" }), "DependencyRefused", /unknown product/u],
        [say(422, "<html>"), "DependencyRefused", /no reason given/u],
        [say(503, {}), "DependencyDown", /it answers 503/u],
        [say(404, {}), "DependencyDown", /it answers 404/u],
        [say(200, "<html>"), "DependencyDown", /not JSON/u],
        [(_: Seen, response: ServerResponse) => void response.destroy(), "DependencyDown", /connection failed/u],
      ] as const
      for (const [answer, tag, message] of cases) {
        const { url } = yield* serve(answer)
        const { ask } = yield* serviceOf({ url, timeout })
        const error: DependencyDown | DependencyRefused = yield* Effect.flip(ask("be01", {}))
        assert.strictEqual(error._tag, tag)
        assert.match(error.message, message)
      }
    }))

  it.live("does not wait longer than it is told to, and says where a token is missing", () =>
    Effect.gen(function* () {
      const { url } = yield* serve(() => {})
      const { ask, probe } = yield* serviceOf({ url, timeout: Duration.millis(50) })
      assert.match((yield* Effect.flip(ask("be01", {}))).message, /no answer within 50ms/u)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(probe("be01"))))
      const without = yield* serviceOf({ url, timeout, key: Effect.fail({ message: "file /key cannot be read" }) })
      assert.strictEqual((yield* Effect.flip(without.ask("be01", {}))).message, "file /key cannot be read")
    }))

  it.live("works when its probe is answered below 500", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve(({ url }, response) =>
        say(url === "/health" ? 500 : 405, {})({} as Seen, response)
      )
      yield* (yield* serviceOf({ url, timeout })).probe("be01")
      const health = url.replace("/quote", "/health")
      assert.isTrue(
        Exit.isFailure(yield* Effect.exit((yield* serviceOf({ url, probe: health, timeout })).probe("be01"))),
      )
      assert.deepStrictEqual(seen.map((one) => `${one.method} ${one.url}`), ["GET /quote", "GET /health"])
    }))
})
