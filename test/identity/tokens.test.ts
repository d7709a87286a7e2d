import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Access } from "../../src/ledger/Access.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { isSecretOf, parseToken } from "../../src/operate/Tokens.ts"
import { configuration, office, request, tokenFor, weir } from "../operate/Office.ts"

const withAccess = (access: object) => ({
  configuration: { ...configuration, access: { ...configuration.access, ...access } },
})
const installation = Ledger.use((ledger) => ledger.audit({ entity: "_weir", after: null, limit: 100 }))

describe("API tokens", () => {
  it.live("are shown once, kept as a hash, and let in what they are made for", () =>
    Effect.gen(function* () {
      const made = yield* weir([
        "token",
        "create",
        "ada",
        "--role",
        "viewer",
        "--entity",
        "be01",
        "--days",
        "1",
        "--json",
      ])
      const { id, token } = JSON.parse(made.stdout)
      assert.match(token, /^weir_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/u)
      const kept = yield* Access.use((access) => access.token(id))
      assert.notInclude(JSON.stringify(kept), parseToken(token)?.secret ?? "?")
      const who = yield* request("/v1/caller", { token })
      assert.deepStrictEqual(who.body, {
        name: "ada",
        by: "token",
        roles: ["viewer"],
        entities: ["be01"],
        rights: ["read"],
      })
      assert.strictEqual((yield* weir(["whoami"], { token })).stdout, "ada (token): viewer; may read; be01")
      const rows = (yield* request("/v1/status", { token })).body.rows
      assert.deepStrictEqual([...new Set(rows.map(({ entity }: { entity: string }) => entity))], ["be01"])
      assert.strictEqual((yield* request("/v1/status?entity=uk01", { token })).status, 403)
      const listed = yield* weir(["token", "list", "--json"])
      assert.notInclude(listed.stdout, token)
      assert.deepInclude(JSON.parse(listed.stdout).items[0], { id, owner: "ada", revokedAtMillis: null })
    }).pipe(Effect.provide(office().layer)))

  it.live("let nobody in once they are revoked, over, or not what was made", () =>
    Effect.gen(function* () {
      const token = yield* tokenFor("ada", ["viewer"])
      const { id = "", secret = "" } = parseToken(token) ?? {}
      assert.strictEqual((yield* request("/v1/caller", { token })).status, 200)
      const flipped = `${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`
      for (const wrong of [`weir_${id}_${flipped}`, `weir_aaaaaaaaaaaa_${secret}`, "weir_", "nonsense", `${token}x`]) {
        const { body, status } = yield* request("/v1/caller", { token: wrong })
        assert.deepStrictEqual([status, body.type], [401, "urn:weir:problem:unauthenticated"], wrong)
      }
      const basic = { authorization: "Basic YWRhOng=" }
      assert.strictEqual((yield* request("/v1/caller", { headers: basic })).status, 401, "not as a local caller either")
      assert.strictEqual((yield* weir(["token", "revoke", id])).stdout, `${id} is revoked.`)
      assert.strictEqual((yield* request("/v1/caller", { token })).status, 401)
      assert.strictEqual((yield* weir(["token", "revoke", id])).stdout, `${id} was revoked before.`)
      assert.strictEqual((yield* weir(["token", "revoke", "nobodys"])).code, 2)
      yield* Access.use((access) =>
        access.issue({
          id: "expired22222",
          hash: "",
          owner: "eve",
          roles: ["admin"],
          entities: null,
          createdBy: "ada",
          createdAtMillis: 0,
          expiresAtMillis: 1,
        })
      )
      const over = `weir_expired22222_${"A".repeat(43)}`
      assert.strictEqual((yield* request("/v1/caller", { token: over })).status, 401)
    }).pipe(Effect.provide(office().layer)))

  it.live("are made by administrators of the whole installation only, and it is recorded", () =>
    Effect.gen(function* () {
      const operator = yield* tokenFor("ada", ["operator", "approver", "viewer"])
      const local = yield* tokenFor("eve", ["admin"], ["be01"])
      const admin = yield* tokenFor("root", ["admin"])
      const create = (token: string) =>
        request("/v1/tokens", { token, body: { owner: "mallory", roles: ["admin"], entities: ["be01"] } })
      assert.strictEqual((yield* create(operator)).status, 403)
      assert.strictEqual((yield* create(local)).status, 403)
      assert.strictEqual((yield* request("/v1/tokens", { token: local })).status, 403)
      assert.strictEqual((yield* request("/v1/audit/_weir", { token: local })).status, 403)
      assert.strictEqual((yield* create(admin)).status, 201)
      const unknown = yield* request("/v1/tokens", {
        token: admin,
        body: { owner: "x", roles: ["viewer"], entities: ["zz99"] },
      })
      assert.strictEqual(unknown.status, 422)
      const kept = yield* request("/v1/tokens", {
        token: admin,
        body: { owner: "x", roles: ["viewer"] },
        headers: { "idempotency-key": "k" },
      })
      assert.strictEqual(kept.status, 400, "an answer with a secret is not kept")
      const acts = (yield* installation).map(({ action, actor }) => `${action} ${actor}`)
      assert.deepStrictEqual(acts, [
        "operation.allowed local",
        "operation.allowed local",
        "operation.allowed local",
        "operation.denied ada",
        "operation.denied eve",
        "operation.allowed root",
        "operation.allowed root",
      ])
      assert.notInclude(JSON.stringify(yield* installation), "weir_")
    }).pipe(Effect.provide(office().layer)))

  it("are compared without telling how much of them is right", () => {
    const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    assert.isTrue(isSecretOf("test", { hash }))
    assert.isFalse(isSecretOf("tesu", { hash }))
    assert.strictEqual(parseToken("weir_short_x"), null)
  })
})

describe("without a credential", () => {
  it.live("this machine is served, and says who asks", () =>
    Effect.gen(function* () {
      const name = encodeURIComponent("Zoë \u0007 K.")
      const { body } = yield* request("/v1/caller", { headers: { "x-weir-actor": name } })
      assert.deepInclude(body, { name: "Zoë  K.", by: "local", entities: null })
      assert.sameMembers(body.roles, ["viewer", "operator", "approver", "admin"])
      assert.strictEqual((yield* request("/v1/caller", { headers: { "x-weir-actor": "%E0%A4%A" } })).body.name, "local")
      for (const header of ["x-forwarded-for", "forwarded", "via"]) {
        assert.strictEqual((yield* request("/v1/caller", { headers: { [header]: "10.0.0.1" } })).status, 401, header)
      }
      const foreign = { origin: "https://evil.example.test" }
      assert.strictEqual((yield* request("/v1/caller", { headers: foreign })).status, 401)
    }).pipe(Effect.provide(office().layer)))

  it.live("this machine needs one too where the configuration says so", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* request("/v1/status")).status, 401)
      const refused = yield* weir(["status"])
      assert.deepStrictEqual([refused.code, refused.message.includes("weir token create")], [1, true])
      for (const path of ["/healthz", "/metrics", "/openapi.json"]) {
        assert.strictEqual((yield* request(path)).status, 200)
      }
    }).pipe(Effect.provide(office(withAccess({ local: [] })).layer)))

  it.live("an order of somebody unknown stands in the trail", () =>
    Effect.gen(function* () {
      yield* request("/v1/entities/be01/drain", { token: "nonsense", body: {} })
      yield* request("/v1/status", { token: "nonsense" })
      const acts = (yield* installation).map((
        { action, actor, detail },
      ) => [action, actor, JSON.parse(detail).operation])
      assert.deepStrictEqual(acts, [["operation.denied", "unknown", "entity.drain"]])
    }).pipe(Effect.provide(office().layer)))

  it.live("nobody tries keys for long", () =>
    Effect.gen(function* () {
      const tried = (n: number) => request("/v1/caller", { token: `weir_aaaaaaaaaaaa_${String(n).padStart(43, "A")}` })
      const answers = yield* Effect.forEach(Array.from({ length: 60 }, (_, n) => n), tried, { concurrency: 8 })
      const statuses = new Set(answers.map(({ status }) => status))
      assert.deepStrictEqual(statuses, new Set([401, 429]))
      const told = answers.find(({ status }) => status === 429)
      assert.deepInclude(told?.body, { type: "urn:weir:problem:too-many-requests" })
      assert.isAtLeast(told?.body.retryAfterSeconds, 1)
      assert.strictEqual((yield* request("/v1/caller")).status, 200, "others at the same address are served")
    }).pipe(Effect.provide(office().layer)))

  it.live("nobody asks more often than the configuration lets it", () =>
    Effect.gen(function* () {
      const token = yield* tokenFor("ada", ["viewer"])
      const ask = Effect.map(request("/v1/caller", { token }), ({ status }) => status)
      const statuses = yield* Effect.all([ask, ask, ask])
      assert.deepStrictEqual(statuses, [200, 200, 429])
      assert.strictEqual((yield* request("/v1/caller")).status, 200, "others may")
    }).pipe(Effect.provide(office(withAccess({ callsPerMinute: 20 })).layer)))
})
