import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Buffer } from "node:buffer"
import type { AddressInfo } from "node:net"
import * as Json2Odoo from "../../src/odoo/Json2Odoo.ts"
import { Odoo, OdooError } from "../../src/odoo/Odoo.ts"

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** A server on a free port that shows what it saw and answers as told; gone with the scope. */
const serve = (
  answer: (seen: Seen, response: ServerResponse) => void,
): Effect.Effect<{ readonly url: URL; readonly seen: ReadonlyArray<Seen> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const server = createServer((request, response) => {
      const chunks: Array<Uint8Array> = []
      request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
      request.on("end", () => {
        const one = {
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: new TextDecoder().decode(Buffer.concat(chunks)),
        }
        seen.push(one)
        answer(one, response)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        }),
    )
    return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), seen }
  })

const json = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", connection: "close" })
  response.end(JSON.stringify(body))
}

const unauthorized = { name: "werkzeug.exceptions.Unauthorized", message: "Invalid apikey", debug: "Traceback" }

const database = (url: URL, options: Partial<Json2Odoo.Json2Database> = {}) =>
  Json2Odoo.layer({
    version: "1.2.3",
    databases: new Map([["main", { url, database: "erp", key: Effect.succeed(Redacted.make("k1")), ...options }]]),
  })

const call = { database: "main", model: "res.partner", method: "write", ids: [7], args: { vals: { name: "Ü" } } }
const codeOf = (url: URL, options?: Partial<Json2Odoo.Json2Database>) =>
  Effect.flip(Odoo.use((odoo) => odoo.call(call))).pipe(
    Effect.map((error) => error.code),
    Effect.provide(database(url, options)),
  )

describe("Json2Odoo", () => {
  it.live("posts named arguments, ids and context with the key, the database and who it is", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((_, response) => json(response, 200, true))
      const answer = yield* Odoo.use((odoo) => odoo.call({ ...call, context: { allowed_company_ids: [3] } })).pipe(
        Effect.provide(database(new URL("/odoo/", url))),
      )
      assert.strictEqual(answer, true)
      assert.strictEqual(`${seen[0]!.method} ${seen[0]!.url}`, "POST /odoo/json/2/res.partner/write")
      assert.deepStrictEqual(JSON.parse(seen[0]!.body), {
        vals: { name: "Ü" },
        ids: [7],
        context: { allowed_company_ids: [3] },
      })
      const { authorization, "content-type": type, "user-agent": agent, "x-odoo-database": name } = seen[0]!.headers
      assert.deepStrictEqual([authorization, name, agent, type], ["bearer k1", "erp", "weir/1.2.3", "application/json"])
    }))

  it.live("reads the key again when Odoo refuses it, and goes on with the new one", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((one, response) =>
        one.headers.authorization === "bearer k2" ? json(response, 200, []) : json(response, 401, unauthorized)
      )
      let reads = 0
      const key = Effect.sync(() => Redacted.make(`k${++reads}`))
      yield* Odoo.use((odoo) => Effect.andThen(odoo.call(call), odoo.call(call))).pipe(
        Effect.provide(database(url, { key })),
      )
      assert.strictEqual(reads, 2)
      assert.deepStrictEqual(seen.map(({ headers }) => headers.authorization), ["bearer k1", "bearer k2", "bearer k2"])
    }))

  it.live("asks once when the key is refused and has not changed", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((_, response) => json(response, 401, unauthorized))
      assert.strictEqual(yield* codeOf(url), "ODOO-AUTH")
      assert.strictEqual(seen.length, 1)
    }))

  it.live("does not know the outcome when the answer takes too long, breaks off or is cut", () =>
    Effect.gen(function* () {
      const silent = yield* serve(() => {})
      assert.strictEqual(yield* codeOf(silent.url, { timeout: "50 millis" }), "ODOO-NO-ANSWER")
      const broken = yield* serve((_, response) => response.socket?.destroy())
      assert.strictEqual(yield* codeOf(broken.url), "ODOO-NO-ANSWER")
      const half = yield* serve((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" })
        response.write('{"ids": [1', () => response.socket?.destroy())
      })
      assert.strictEqual(yield* codeOf(half.url), "ODOO-NO-ANSWER")
      const cut = yield* serve((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.end('{"ids": [1')
      })
      assert.strictEqual(yield* codeOf(cut.url), "ODOO-NO-ANSWER")
      assert.strictEqual(broken.seen.length, 1)
    }))

  it.live("knows that nothing has happened when nobody listens", () =>
    Effect.gen(function* () {
      const url = yield* Effect.scoped(Effect.map(serve(() => {}), (server) => server.url))
      assert.strictEqual(yield* codeOf(url), "ODOO-UNAVAILABLE")
    }))

  it.live("takes the HTML 404 of a database that is away for a passing trouble", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((_, response) => {
        response.writeHead(404, { "content-type": "text/html; charset=utf-8" })
        response.end("<h1>Not Found</h1><p>No database is selected</p>")
      })
      assert.strictEqual(yield* codeOf(url), "ODOO-UNAVAILABLE")
    }))

  it.live("keeps neither key nor traceback in an error", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((_, response) => json(response, 401, unauthorized))
      const error = yield* Effect.flip(Odoo.use((odoo) => odoo.call(call))).pipe(
        Effect.provide(database(url, { key: Effect.succeed(Redacted.make("secret-key")) })),
      )
      const text = JSON.stringify(error) + String(error) + (error.stack ?? "") + String(error.cause)
      assert.notInclude(text, "secret-key")
      assert.notInclude(text, "Traceback")
    }))

  it.effect("takes a rotated key within a minute, before Odoo refuses the one before", () =>
    Effect.gen(function* () {
      let key: string | null = "k1"
      const { seen, url } = yield* serve((_, response) => json(response, 200, true))
      yield* Effect.gen(function* () {
        const odoo = yield* Odoo
        yield* odoo.call(call)
        key = "k2"
        yield* TestClock.adjust("59 seconds")
        yield* odoo.call(call)
        yield* TestClock.adjust("1 second")
        yield* odoo.call(call)
        key = null
        yield* TestClock.adjust("2 minutes")
        yield* odoo.call(call)
      }).pipe(Effect.provide(database(url, {
        key: Effect.suspend(() =>
          key === null
            ? Effect.fail(new OdooError({ code: "ODOO-AUTH", operation: "key of main", message: "file is away" }))
            : Effect.succeed(Redacted.make(key))
        ),
      })))
      assert.deepStrictEqual(
        seen.map(({ headers }) => headers.authorization),
        ["bearer k1", "bearer k1", "bearer k2", "bearer k2"],
        "one that cannot be read goes on with what is known",
      )
    }))

  it.effect("goes to the Odoo that the configuration names now, with its key", () =>
    Effect.gen(function* () {
      const [old, next] = yield* Effect.all([
        serve((_, response) => json(response, 200, true)),
        serve((_, response) => json(response, 200, true)),
      ])
      const key = (text: string) => Effect.succeed(Redacted.make(text))
      const databases = new Map([["main", { url: old.url, database: "erp", key: key("k1") }]])
      yield* Effect.gen(function* () {
        const odoo = yield* Odoo
        yield* odoo.call(call)
        databases.set("main", { url: next.url, database: "erp2", key: key("k2") })
        yield* odoo.call(call)
      }).pipe(Effect.provide(Json2Odoo.layer({ version: "1.2.3", databases })))
      assert.strictEqual(old.seen.length, 1)
      assert.deepInclude(next.seen[0]!.headers, { "x-odoo-database": "erp2", authorization: "bearer k2" })
    }))

  it.live("tells Odoo's version without a key", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* serve((_, response) =>
        json(response, 200, { version_info: [19, 0, 0, "final", 0, ""], version: "19.0" })
      )
      const version = yield* Odoo.use((odoo) => odoo.version("main")).pipe(
        Effect.provide(database(url, { key: Effect.die("the key was read") })),
      )
      assert.strictEqual(version, "19.0")
      assert.strictEqual(`${seen[0]!.method} ${seen[0]!.url}`, "GET /web/version")
      assert.isUndefined(seen[0]!.headers.authorization)
    }))

  it.live("says so when the configuration names no such database", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Odoo.use((odoo) => odoo.call({ ...call, database: "other" }))).pipe(
        Effect.provide(database(new URL("http://127.0.0.1:9"))),
      )
      assert.strictEqual(error.code, "ODOO-REFUSED-CALL")
      assert.include(error.message, '"other"')
    }))
})
