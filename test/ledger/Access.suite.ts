/** The contract of the port `src/ledger/Access.ts`, run over every adapter. Each test has callers and ids of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import { Access, type Reservation } from "../../src/ledger/Access.ts"
import { verifyAudit } from "../../src/ledger/Governance.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { freshEntity } from "./Ledger.suite.ts"

let names = 0
const fresh = (kind: string): string => `${kind}-${(++names).toString(36).padStart(4, "0")}`

const token = (id: string) => ({
  id,
  hash: "ab".repeat(32),
  owner: "ada",
  roles: ["operator", "approver"],
  entities: ["be01"],
  createdBy: "root",
  createdAtMillis: 5,
  expiresAtMillis: 1_000,
})

const reservation = (caller: string, key: string, given: Partial<Reservation> = {}): Reservation => ({
  caller,
  key,
  fingerprint: "one",
  nowMillis: 0,
  expiresAtMillis: 1_000,
  abandonedAtMillis: 100,
  limit: 10,
  ...given,
})

const answer = { status: 202, contentType: "application/json", body: new TextEncoder().encode(`{"done":true}`) }

export const accessSuite = (name: string, adapter: Layer.Layer<Access | Ledger, unknown>) =>
  layer(adapter, { timeout: "60 seconds" })(`Access: ${name}`, (it) => {
    it.effect("keeps tokens until they are revoked, and who did", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const [first, second] = [fresh("t"), fresh("t")]
        assert.strictEqual(yield* access.token(first), null)
        yield* access.issue(token(second))
        yield* access.issue({ ...token(first), entities: null })
        const known = {
          ...token(first),
          entities: null,
          revokedAtMillis: null,
          revokedBy: null,
          lastUsedAtMillis: null,
        }
        assert.deepStrictEqual(yield* access.token(first), known)
        yield* TestClock.setTime(50)
        assert.strictEqual(yield* access.revoke(first, "eve"), true)
        assert.strictEqual(yield* access.revoke(first, "mallory"), false)
        assert.strictEqual(yield* access.revoke("nobody", "eve"), false)
        assert.deepStrictEqual(yield* access.token(first), { ...known, revokedAtMillis: 50, revokedBy: "eve" })
        const page = yield* access.tokens({ after: first, limit: 1 })
        assert.deepStrictEqual(page.map(({ id }) => id), [second])
      }))

    it.effect("notes the use of a token once a minute", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const id = fresh("t")
        yield* access.issue(token(id))
        const lastUsed = Effect.map(access.token(id), (found) => found?.lastUsedAtMillis)
        for (const [at, noted] of [[10, 10], [60_009, 10], [60_010, 60_010]] as const) {
          yield* TestClock.setTime(at)
          yield* access.used(id)
          assert.strictEqual(yield* lastUsed, noted)
        }
        yield* access.used("nobody")
      }))

    it.effect("hands out an idempotency key once, and its answer ever after", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const caller = fresh("c")
        const outcome = (key: string, given: Partial<Reservation> = {}) =>
          access.reserve(reservation(caller, key, given))
        assert.deepStrictEqual(yield* outcome("k"), { _tag: "Fresh" })
        assert.deepStrictEqual(yield* outcome("k", { nowMillis: 99 }), { _tag: "Busy" })
        assert.deepStrictEqual(yield* outcome("k", { fingerprint: "two" }), { _tag: "Other" })
        assert.deepStrictEqual(yield* access.reserve(reservation(fresh("c"), "k")), { _tag: "Fresh" })
        yield* access.complete(caller, "k", answer)
        yield* access.complete(caller, "k", { ...answer, status: 500 })
        yield* access.abandon(caller, "k")
        assert.deepStrictEqual(yield* outcome("k", { nowMillis: 200 }), { _tag: "Done", answer })
        assert.deepStrictEqual(yield* outcome("k", { nowMillis: 1_000, expiresAtMillis: 2_000 }), { _tag: "Fresh" })
      }))

    it.effect("takes a key back from a call that died, and one that is given back", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const caller = fresh("c")
        yield* access.reserve(reservation(caller, "died"))
        assert.strictEqual((yield* access.reserve(reservation(caller, "died", { nowMillis: 100 })))._tag, "Fresh")
        yield* access.reserve(reservation(caller, "refused"))
        yield* access.abandon(caller, "refused")
        assert.strictEqual(
          (yield* access.reserve(reservation(caller, "refused", { fingerprint: "two" })))._tag,
          "Fresh",
        )
      }))

    it.effect("gives a caller so many keys, until some expire", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const caller = fresh("c")
        const take = (key: string, given: Partial<Reservation> = {}) =>
          Effect.map(access.reserve(reservation(caller, key, { limit: 2, ...given })), ({ _tag }) => _tag)
        assert.deepStrictEqual([yield* take("1"), yield* take("2"), yield* take("3")], ["Fresh", "Fresh", "Full"])
        assert.strictEqual(yield* take("1"), "Busy")
        assert.strictEqual(yield* take("3", { nowMillis: 1_000, expiresAtMillis: 2_000 }), "Fresh")
      }))

    it.effect("hands a key to one of many that ask at the same time", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const caller = fresh("c")
        const asked = Array.from({ length: 12 }, () => access.reserve(reservation(caller, "k")))
        const outcomes = yield* Effect.all(asked, { concurrency: 6 })
        assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Fresh").length, 1)
        assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Busy").length, 11)
      }))

    it.effect("appends to one trail with the owner, chained, each entry once", () =>
      Effect.gen(function* () {
        const access = yield* Access
        const ledger = yield* Ledger
        const entity = freshEntity()
        const entry = (id: string) => ({ id, actor: "ada", action: "allowed", detail: { operation: "x", é: "\u0000" } })
        // Before anybody claimed the entity.
        yield* access.record(entity, entry("a"))
        const fence = yield* ledger.claim(entity, "here")
        yield* ledger.govern(fence, { entries: [entry("b")], incidents: [], outbox: [] })
        yield* access.record(entity, entry("b"))
        const more = ["c", "d", "e", "f"].map((id, n) =>
          n % 2 === 0
            ? access.record(entity, entry(id))
            : ledger.govern(fence, { entries: [entry(id)], incidents: [], outbox: [] })
        )
        yield* Effect.all(more, { concurrency: 4, discard: true })
        const trail = yield* ledger.audit({ entity, after: 0, limit: 100 })
        assert.strictEqual(trail.length, 6)
        assert.strictEqual(verifyAudit(trail), null)
        assert.strictEqual((yield* ledger.owners).filter((owner) => owner.entity === entity).length, 1)
      }))

    it.effect("keeps the first mark of the environment", () =>
      Effect.gen(function* () {
        const access = yield* Access
        assert.strictEqual(yield* access.environment, null)
        yield* TestClock.setTime(7)
        const mark = { environment: "production", by: "host:1", atMillis: 7 }
        assert.deepStrictEqual(yield* access.mark("production", "host:1"), mark)
        assert.deepStrictEqual(yield* access.mark("test", "host:2"), mark)
        assert.deepStrictEqual(yield* access.environment, mark)
      }))
  })
