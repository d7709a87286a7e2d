import { assert, describe, it } from "@effect/vitest"
import { Effect, References } from "effect"
import { Agent, request as send } from "node:http"
import { publication, publish } from "../simulation/World.ts"
import { customer } from "../streams/samples.ts"
import { seedOf } from "../faults/seed.ts"
import { generator } from "../ledger/outcomes.ts"
import { Address, configuration, office, request, tokenFor } from "../operate/Office.ts"
import { document } from "../../src/http/document.ts"

const REQUESTS = 10_000
/** In flight at a time. */
const CONCURRENCY = 16
/** Stands in a payload that nobody here may see. */
const PRIVATE = "Zoë-Private-7731"

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

const paths = Object.entries(JSON.parse(document()).paths as Record<string, Record<string, unknown>>)
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })))

const junk = [
  "",
  "x",
  "be01",
  "uk01",
  "_weir",
  "..",
  "%2e%2e%2f",
  "%00",
  "%zz",
  "%F0%9F%98%80",
  "-1",
  "1e999",
  "9".repeat(400),
  "true",
  "null",
  "{}",
  "[]",
  "'; drop table weir.event; --",
  "a".repeat(3_000),
  "__proto__",
  "constructor",
  "2026-10",
  "test#bad",
  "\u202e",
  "%",
  "&",
] as const

/** A value as JSON may have it, of any shape. */
const anything = (roll: ReturnType<typeof generator>, depth: number): unknown => {
  const { int, pick } = roll
  const kind = int(depth > 3 ? 6 : 9)
  if (kind === 0) return null
  if (kind === 1) return int(2) === 0
  if (kind === 2) return pick([0, -1, 1.5, 1e308, 2 ** 53, int(1_000)] as const)
  if (kind < 6) return pick(junk)
  if (kind === 6) return Array.from({ length: int(5) }, () => anything(roll, depth + 1))
  const names = [
    "mode",
    "reason",
    "until",
    "events",
    "event",
    "to",
    "text",
    "data",
    "hash",
    "owner",
    "roles",
    "entity",
  ] as const
  return Object.fromEntries(
    Array.from({ length: int(6) }, () => [int(4) === 0 ? pick(junk) : pick(names), anything(roll, depth + 1)]),
  )
}

const bodyOf = (roll: ReturnType<typeof generator>): string | undefined => {
  const { int, pick } = roll
  switch (int(6)) {
    case 0:
      return undefined
    case 1:
      return pick(
        ["{", "[", `{"mode":`, "\u0000", `"${"x".repeat(5_000)}"`, "[".repeat(20_000), "NaN", "{}{}"] as const,
      )
    case 2:
      return JSON.stringify({ mode: pick(["hold", "full", "x"] as const), reason: pick(junk), until: pick(junk) })
    default:
      return JSON.stringify(anything(roll, 0))
  }
}

const requestOf = (roll: ReturnType<typeof generator>, tokens: ReadonlyArray<string>): Sent => {
  const { int, pick } = roll
  const known = paths[int(paths.length)]!
  const filled = known.path.replaceAll(
    /\{\w+\}/gu,
    () => encodeURI(pick(junk)).replaceAll("#", "%23").replaceAll("?", "%3F"),
  )
  const query = int(3) > 0
    ? ""
    : `?${
      Array.from({ length: 1 + int(3) }, () =>
        `${pick(["limit", "after", "entity", "state", "code", "queue", "open", "x"] as const)}=${
          encodeURIComponent(pick(junk).replaceAll("%", ""))
        }`).join("&")
    }`
  const path = int(12) === 0 ? `/${encodeURI(pick(junk))}/${encodeURI(pick(junk))}` : `${filled}${query}`
  const token = tokens[int(tokens.length)]
  const headers: Record<string, string> = {}
  if (int(8) > 0) {
    headers["content-type"] = pick(
      ["application/json", "text/plain", "application/json; charset=x", "multipart/form-data"] as const,
    )
  }
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`
  if (int(10) === 0) headers["idempotency-key"] = pick(["a", "", "with blank", "x".repeat(300), '"quoted"'] as const)
  if (int(20) === 0) headers["x-forwarded-for"] = "10.0.0.1"
  if (int(20) === 0) headers["accept"] = "text/html"
  const method = int(10) === 0
    ? pick(["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "GET", "POST"] as const)
    : known.method
  return {
    method,
    path: path.replaceAll(/[^\x21-\x7e]/gu, "%20"),
    headers,
    body: method === "GET" || method === "HEAD" ? undefined : bodyOf(roll),
  }
}

/** What stands nowhere in an answer: our paths, stacks, addresses of servers, secrets, payloads. */
const leaks = (text: string, secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  [
    /\n\s+at /u,
    /node_modules/u,
    /\bfile:\/\//u,
    /\.ts:\d+/u,
    /postgres(?:ql)?:\/\//u,
    /SqlError|TypeError|\bundefined is not/u,
  ]
    .filter((pattern) => pattern.test(text)).map(String)
    .concat(secrets.filter((secret) => text.includes(secret)))

describe("the API", () => {
  it.live(
    `answers ${REQUESTS} malformed requests without a mistake of its own, and leaks nothing`,
    () =>
      Effect.gen(function* () {
        const seed = seedOf("API fuzzer")
        const roll = generator(seed)
        const base = new URL(yield* Address)
        yield* publish(
          publication("customer.upserted", { ...customer, name: PRIVATE, email: "nobody" }, { id: "bad", sequence: 1 }),
        )
        yield* request("/v1/exceptions").pipe(
          Effect.tap(({ body }) => body.items.length === 1 ? Effect.void : Effect.sleep("20 millis")),
          Effect.repeat({ until: ({ body }) => body.items.length === 1, times: 500 }),
        )
        const viewer = yield* tokenFor("vic", ["viewer"])
        const approver = yield* tokenFor("apo", ["approver"], ["be01"])
        const limited = yield* tokenFor("lim", ["viewer", "approver"], ["uk01"])
        const tokens = [viewer, viewer, approver, limited]
        const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
        yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
        const counts = new Map<number, number>()
        const ask = (sent: Sent) =>
          Effect.callback<{ readonly status: number; readonly text: string }>((resume) => {
            const { body, headers, method, path } = sent
            const outgoing = send(
              { host: base.hostname, port: base.port, agent, method, path, headers },
              (response) => {
                const chunks: Array<Uint8Array> = []
                response.on("data", (chunk: Uint8Array) => chunks.push(chunk))
                response.on(
                  "end",
                  () =>
                    resume(
                      Effect.succeed({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
                    ),
                )
                response.on("error", () => resume(Effect.succeed({ status: 0, text: "" })))
              },
            )
            // A connection that is closed on nonsense is an answer, too.
            outgoing.on("error", () => resume(Effect.succeed({ status: 0, text: "" })))
            outgoing.end(body)
          })
        const sent = Array.from({ length: REQUESTS }, () => requestOf(roll, tokens))
        yield* Effect.forEach(sent, (one) =>
          Effect.map(ask(one), ({ status, text }) => {
            const what = `seed ${seed}: ${one.method} ${one.path.slice(0, 200)} ${
              one.body?.slice(0, 200) ?? ""
            } -> ${status} ${text.slice(0, 300)}`
            counts.set(status, (counts.get(status) ?? 0) + 1)
            assert.isTrue(status < 500 || status === 503, what)
            assert.deepStrictEqual(leaks(text, [PRIVATE, ...tokens.map((token) => token.slice(18))]), [], what)
            if (status >= 400 && text !== "" && one.method !== "HEAD") {
              assert.strictEqual(JSON.parse(text).status, status, `${what}: a problem`)
            }
          }), { concurrency: CONCURRENCY, discard: true })
        assert.isAbove(counts.get(200) ?? 0, 100, "some are understood")
        assert.isAbove(counts.get(400) ?? 0, 100, "some are not")
        assert.isBelow(counts.get(0) ?? 0, REQUESTS / 20, "most are answered")
        assert.strictEqual((yield* request("/v1/status")).status, 200, "it still works")
        console.log(`seed ${seed}: ${[...counts].toSorted().map(([status, count]) => `${status} ${count}`).join(", ")}`)
      }).pipe(
        Effect.scoped,
        Effect.provide(office({ configuration }).layer),
        Effect.provideService(References.MinimumLogLevel, "None"),
      ),
    300_000,
  )
})
