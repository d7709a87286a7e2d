import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, References } from "effect"
import { TestClock } from "effect/testing"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OidcSettings } from "../../src/config/access.ts"
import { layer, Oidc } from "../../src/identity/Oidc.ts"
import { type Key, makeKey, publish } from "./Issuer.ts"

const issuer = "https://id.example.test"
const settings = (jwks: OidcSettings["jwks"], given: Partial<OidcSettings> = {}): OidcSettings => ({
  issuer,
  audience: "weir",
  jwks,
  nameClaim: "preferred_username",
  roleClaim: "realm_access.roles",
  roles: { "weir-ops": "operator", "weir-finance": "approver" },
  ...given,
})
/** In seconds, at the test clock's beginning plus an hour. */
const NOW = 3_600
const claims = {
  iss: issuer,
  aud: ["other", "weir"],
  sub: "f3b1",
  exp: NOW + 300,
  iat: NOW - 10,
  preferred_username: "ada",
  realm_access: { roles: ["weir-ops", "somebody-elses"] },
}

const signed = (key: Key, body: object = claims, head: object = {}) => Effect.promise(() => key.sign(head, body))
const identify = (token: string) => Oidc.use((oidc) => oidc.identify(token))
const isRefused = (token: string) =>
  Effect.map(Effect.exit(identify(token)), (exit) => assert.isTrue(Exit.isFailure(exit), token.slice(0, 40)))

const quiet = Effect.provideService(References.MinimumLogLevel, "None")

describe("callers of an issuer", () => {
  it.effect.each(["RS256", "ES256"] as const)(
    "are who the token says, when %s is its signature",
    (alg) =>
      Effect.gen(function* () {
        const key = yield* makeKey("k1", alg)
        const { url } = yield* publish({ current: [key], asked: 0 })
        yield* TestClock.setTime(NOW * 1_000)
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(yield* identify(yield* signed(key)), {
            name: "ada",
            by: "oidc",
            id: "oidc:f3b1",
            roles: ["operator"],
            entities: null,
          })
        }).pipe(Effect.provide(layer(settings({ url }))))
      }).pipe(quiet),
  )

  it.effect("are refused for everything that is not exactly right", () =>
    Effect.gen(function* () {
      const key = yield* makeKey("k1", "RS256")
      const stranger = yield* makeKey("k1", "RS256")
      const elliptic = yield* makeKey("k1", "ES256")
      const { url } = yield* publish({ current: [key], asked: 0 })
      yield* TestClock.setTime(NOW * 1_000)
      yield* Effect.gen(function* () {
        const good = yield* signed(key)
        assert.strictEqual((yield* identify(good)).name, "ada")
        const [head = "", body = "", signature = ""] = good.split(".")
        for (
          const claim of [
            { iss: "https://id.example.test/" },
            { aud: "other" },
            { aud: undefined },
            { exp: NOW - 61 },
            { exp: undefined },
            { exp: "9999999999" },
            { nbf: NOW + 61 },
            { iat: NOW + 61 },
            { sub: "" },
            { sub: undefined },
          ]
        ) yield* isRefused(yield* signed(key, { ...claims, ...claim }))
        yield* isRefused(yield* signed(stranger))
        yield* isRefused(yield* signed(elliptic))
        yield* isRefused(yield* signed(key, claims, { crit: ["b64"] }))
        yield* isRefused(yield* signed(key, claims, { kid: "another" }))
        for (const alg of ["none", "HS256", "RS512"]) yield* isRefused(yield* signed(key, claims, { alg }))
        for (
          const token of [
            `${head}.${body}.`,
            `${head}.${body}`,
            `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: "eve" })).toString("base64url")}.${signature}`,
            `${head}.${body}.${signature.slice(0, -4)}AAAA`,
            "a.b.c",
            "",
            `${good}${"x".repeat(9_000)}`,
          ]
        ) yield* isRefused(token)
      }).pipe(Effect.provide(layer(settings({ url }))))
    }).pipe(quiet))

  it.effect("are refused when the key is too weak", () =>
    Effect.gen(function* () {
      const weak = yield* makeKey("k1", "RS256", 1_024)
      const { url } = yield* publish({ current: [weak], asked: 0 })
      yield* TestClock.setTime(NOW * 1_000)
      yield* isRefused(yield* signed(weak)).pipe(Effect.provide(layer(settings({ url }))))
    }).pipe(quiet))

  it.effect("are limited to the entities that their token names", () =>
    Effect.gen(function* () {
      const key = yield* makeKey("k1", "ES256")
      const { url } = yield* publish({ current: [key], asked: 0 })
      yield* TestClock.setTime(NOW * 1_000)
      yield* Effect.gen(function* () {
        const entitiesOf = (given: object) =>
          Effect.flatMap(signed(key, { ...claims, ...given }), (token) =>
            Effect.map(identify(token), (one) => one.entities))
        assert.deepStrictEqual(yield* entitiesOf({ entities: ["be01", 7] }), ["be01"])
        assert.deepStrictEqual(yield* entitiesOf({ entities: "be01 nl01" }), ["be01", "nl01"])
        assert.deepStrictEqual(yield* entitiesOf({ entities: ["*"] }), null)
        assert.deepStrictEqual(yield* entitiesOf({}), [], "nothing said means none, not all")
      }).pipe(Effect.provide(layer(settings({ url }, { entityClaim: "entities" }))))
    }).pipe(quiet))

  it.effect("stay known when the issuer rotates its keys, and strangers cannot make it be asked all the time", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* makeKey("k1", "ES256"), yield* makeKey("k2", "ES256")]
      const published = { current: [first] as ReadonlyArray<Key>, asked: 0, status: 200 }
      const { url } = yield* publish(published)
      let seconds = NOW
      const pass = (more: number) => TestClock.setTime((seconds += more) * 1_000)
      yield* pass(0)
      yield* Effect.gen(function* () {
        const fresh = { ...claims, exp: NOW + 100_000 }
        yield* identify(yield* signed(first, fresh))
        yield* identify(yield* signed(first, fresh))
        assert.strictEqual(published.asked, 1)
        published.current = [second]
        yield* pass(20)
        assert.strictEqual((yield* identify(yield* signed(second, fresh))).name, "ada")
        assert.strictEqual(published.asked, 2)
        for (let n = 0; n < 20; n++) yield* isRefused(yield* signed(yield* makeKey(`x${n}`, "ES256"), fresh))
        assert.strictEqual(published.asked, 2, "not within the pause")
        published.status = 500
        yield* pass(3_000)
        assert.strictEqual((yield* identify(yield* signed(second, fresh))).name, "ada", "what is known stays")
      }).pipe(Effect.provide(layer(settings({ url }))))
    }).pipe(quiet))

  it.effect("have their keys in a file that may change", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "weir-keys-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true })),
      )
      const file = join(folder, "keys.json")
      const write = (text: string) => Effect.promise(() => writeFile(file, text))
      const [first, second] = [yield* makeKey("k1", "ES256"), yield* makeKey("k2", "RS256")]
      yield* TestClock.setTime(NOW * 1_000)
      yield* Effect.gen(function* () {
        const missing = yield* Effect.flip(identify(yield* signed(first)))
        assert.strictEqual(missing.status, 503)
        // A key of a kind that nobody knows yet does not hide the others.
        yield* write(JSON.stringify({ keys: [{ kty: "ML-DSA" }, 7, first.jwk] }))
        yield* TestClock.setTime((NOW + 20) * 1_000)
        assert.strictEqual((yield* identify(yield* signed(first))).name, "ada")
        yield* write(JSON.stringify({ keys: [second.jwk] }))
        yield* TestClock.setTime((NOW + 40) * 1_000)
        assert.strictEqual((yield* identify(yield* signed(second))).name, "ada")
      }).pipe(Effect.provide(layer(settings({ file }))))
    }).pipe(quiet))

  it.effect("are nobody without an issuer in the configuration", () =>
    isRefused("a.b.c").pipe(Effect.provide(layer(undefined)), quiet))
})
