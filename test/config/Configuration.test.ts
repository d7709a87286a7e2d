import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted, Schema } from "effect"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { callLimitOf } from "../../src/config/Configuration.ts"
import { page } from "../../src/config/page.ts"
import { published } from "../../src/config/jsonSchema.ts"
import { check, load } from "../../src/config/load.ts"
import { Environment, resolve } from "../../src/config/Secret.ts"

const main = { url: "https://odoo.example.com", database: "prod", key: { env: "ODOO_KEY" } }
const be01 = { database: "main", company: 1, currency: "EUR" }
const file = { databases: { main }, entities: { be01 } }

const accepted = (values: unknown, environment: Record<string, string> = {}) => check("weir.json", values, environment)
const refused = (values: unknown, environment: Record<string, string> = {}) =>
  Effect.flip(check("weir.json", values, environment))

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "weir-config-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true })),
)

describe("weir.json", () => {
  it.effect("may be empty: everything has a default", () =>
    Effect.gen(function* () {
      const { configuration } = yield* accepted({})
      assert.deepStrictEqual(configuration.http, { host: "127.0.0.1", port: 8787 })
      assert.strictEqual(configuration.dataDir, ".weir")
      assert.strictEqual(Duration.toSeconds(configuration.grace), 20)
      assert.strictEqual(configuration.nats, undefined)
    }))

  it.effect("gives a database half of its workers, and one at least", () =>
    Effect.gen(function* () {
      const { configuration } = yield* accepted(file)
      const database = configuration.databases["main"]
      assert.isDefined(database)
      assert.strictEqual(callLimitOf(database), 1)
      assert.strictEqual(callLimitOf({ workers: 8, share: 0.5 }), 4)
      assert.strictEqual(callLimitOf({ workers: 1, share: 0.1 }), 1)
    }))

  it.effect("has a close calendar only with days that there are", () =>
    Effect.gen(function* () {
      const close = (value: unknown) => ({ ...file, entities: { be01: { ...be01, close: value } } })
      const ranges = [{ from: "2026-12-28", to: "2027-01-08" }]
      const { configuration } = yield* accepted(close({ days: [-1, 1], ranges }))
      assert.deepStrictEqual(configuration.entities["be01"]?.close, { timeZone: "UTC", days: [-1, 1], ranges })
      assert.isUndefined((yield* accepted(file)).configuration.entities["be01"]?.close)
      const { problems } = yield* refused(close({
        timeZone: "Europe/Nowhere",
        days: [0, 32],
        ranges: [{ from: "2026-12-28", to: "2026-12-01" }, { from: "2026-13-01", to: "soon" }],
      }))
      assert.deepStrictEqual(problems.map(({ path }) => path.replace("entities.be01.close.", "")).sort(), [
        "days",
        "days.1",
        "ranges.0",
        "ranges.1.from",
        "ranges.1.to",
        "timeZone",
      ])
    }))

  it.effect("tells every problem at once, each with path, what was found and what is expected", () =>
    Effect.gen(function* () {
      const error = yield* refused({
        databases: { main: { ...main, url: "odoo.example.com", workers: 0, share: 2 } },
        entities: {
          be01: { ...be01, currency: "EURO", database: "other" },
          nl01: { ...be01, company: "1", mode: "fast" },
        },
        http: { prot: 80, port: "80" },
        grace: 30,
      })
      assert.deepStrictEqual(error.problems.map(({ path }) => path).sort(), [
        "databases.main.share",
        "databases.main.url",
        "databases.main.workers",
        "entities.be01.currency",
        "entities.be01.database",
        "entities.nl01.company",
        "entities.nl01.mode",
        "grace",
        "http.port",
        "http.prot",
      ])
      const told = new Map(error.problems.map((problem) => [problem.path, problem]))
      assert.deepStrictEqual(told.get("http.prot"), {
        path: "http.prot",
        found: "an unknown field",
        expected: "one of host, port",
      })
      assert.strictEqual(told.get("grace")?.found, "a number")
      assert.include(told.get("grace")?.expected, "30 seconds")
      assert.include(told.get("entities.nl01.mode")?.expected, "essential")
      assert.include(told.get("entities.be01.currency")?.expected, "EUR")
      assert.include(error.message, "nothing was started")
    }))

  it.effect("names a missing field and what belongs there", () =>
    Effect.gen(function* () {
      const error = yield* refused({ databases: { main: { url: main.url, key: main.key } } })
      assert.deepStrictEqual(error.problems, [{
        path: "databases.main.database",
        found: "nothing",
        expected: "a text (Odoo's name of the database)",
      }])
    }))

  it.effect("refuses a secret written into it, says why, and does not repeat it", () =>
    Effect.gen(function* () {
      const error = yield* refused({
        nats: { url: "nats://weir:hunter2@nats:4222" },
        postgres: { url: "postgres://weir:hunter2@db/weir" },
        databases: { main: { ...main, url: "https://weir:hunter2@odoo", key: "hunter2" } },
      })
      assert.deepStrictEqual(error.problems.map(({ path }) => path).sort(), [
        "databases.main.key",
        "databases.main.url",
        "nats.url",
        "postgres.url",
      ])
      assert.include(error.message, "secrets are never written here")
      assert.notInclude(error.message, "hunter2")
      assert.notInclude(JSON.stringify(error), "hunter2")
    }))

  it.effect("refuses two entities with one company", () =>
    Effect.gen(function* () {
      const error = yield* refused({ databases: { main }, entities: { be01, nl01: be01 } })
      assert.deepStrictEqual(error.problems.map(({ path }) => path), ["entities.nl01.company"])
    }))
})

describe("environment variables", () => {
  it.effect("set any field by its path", () =>
    Effect.gen(function* () {
      const { configuration, unknownVariables } = yield* accepted(file, {
        WEIR_HTTP_PORT: "9000",
        WEIR_NATS_URL: "nats://broker:4222",
        WEIR_DATABASES_MAIN_URL: "https://other.example.com",
        WEIR_DATABASES_MAIN_CALLS_PER_SECOND: "1.5",
        WEIR_ENTITIES_BE01_MODE: "drafts",
        WEIR_GRACE: "5 seconds",
        WEIR_HTP_PORT: "1",
        HOME: "/root",
      })
      assert.strictEqual(configuration.http.port, 9000)
      assert.strictEqual(configuration.nats?.url, "nats://broker:4222")
      assert.strictEqual(configuration.databases["main"]?.url, "https://other.example.com")
      assert.strictEqual(configuration.databases["main"]?.callsPerSecond, 1.5)
      assert.strictEqual(configuration.entities["be01"]?.mode, "drafts")
      assert.strictEqual(Duration.toSeconds(configuration.grace), 5)
      assert.deepStrictEqual(unknownVariables, ["WEIR_HTP_PORT"])
    }))

  it.effect("are enough without a file", () =>
    Effect.gen(function* () {
      const { configuration } = yield* accepted({}, {
        WEIR_POSTGRES_URL: "postgres://weir:hunter2@db/weir",
        WEIR_DATABASES_MAIN_URL: "https://odoo.example.com",
        WEIR_DATABASES_MAIN_DATABASE: "prod",
        WEIR_DATABASES_MAIN_KEY_FILE: "/run/secrets/odoo",
        WEIR_ENTITIES_BE_01_DATABASE: "main",
        WEIR_ENTITIES_BE_01_COMPANY: "1",
        WEIR_ENTITIES_BE_01_CURRENCY: "EUR",
      })
      assert.deepStrictEqual(configuration.postgres?.url, { env: "WEIR_POSTGRES_URL" })
      assert.deepStrictEqual(configuration.databases["main"]?.key, { file: "/run/secrets/odoo" })
      assert.strictEqual(configuration.entities["be-01"]?.company, 1)
      assert.notInclude(JSON.stringify(configuration), "hunter2")
    }))

  it.effect("that hold a secret the file points at are not misspelt fields", () =>
    Effect.gen(function* () {
      const values = { databases: { main: { ...main, key: { env: "WEIR_ODOO_KEY" } } } }
      assert.deepStrictEqual((yield* accepted(values, { WEIR_ODOO_KEY: "k" })).unknownVariables, [])
    }))

  it.effect("are named when their value is wrong", () =>
    Effect.gen(function* () {
      const error = yield* refused({}, { WEIR_HTTP_PORT: "http" })
      assert.deepStrictEqual(error.problems, [{
        path: "http.port",
        found: "a text in WEIR_HTTP_PORT",
        expected: "a port, 0 to 65535",
      }])
    }))
})

describe("the file", () => {
  it.effect("is read from the given path, and must then be there", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "other.json")
      const absent = yield* Effect.flip(load(path))
      assert.include(absent.message, "found no file")
      yield* Effect.promise(() => writeFile(path, `{"key": "hunter2"`))
      const broken = yield* Effect.flip(load(path))
      assert.include(broken.message, "not JSON")
      assert.notInclude(broken.message, "hunter2")
      yield* Effect.promise(() => writeFile(path, JSON.stringify(file)))
      assert.strictEqual((yield* load(path)).file, path)
    }).pipe(Effect.provideService(Environment, {})))
})

describe("a secret", () => {
  it.effect("is read anew each time, so that rotation needs no restart", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "key")
      const missing = yield* Effect.flip(resolve({ file: path }))
      assert.include(missing.message, path)
      yield* Effect.promise(() => writeFile(path, "first\n"))
      assert.strictEqual(Redacted.value(yield* resolve({ file: path })), "first")
      yield* Effect.promise(() => writeFile(path, "second"))
      const second = yield* resolve({ file: path })
      assert.strictEqual(Redacted.value(second), "second")
      assert.notInclude(JSON.stringify({ second }), 'second"}')
      yield* Effect.promise(() => writeFile(path, "\n"))
      assert.include((yield* Effect.flip(resolve({ file: path }))).message, "is empty")
    }))

  it.effect("comes from the environment, or the error names the variable", () =>
    Effect.gen(function* () {
      assert.strictEqual(Redacted.value(yield* resolve({ env: "KEY" })), "k")
      assert.include((yield* Effect.flip(resolve({ env: "OTHER" }))).message, "OTHER is not set")
    }).pipe(Effect.provideService(Environment, { KEY: "k" })))
})

describe("what is published", () => {
  it("docs/weir.schema.json is current (deno task schema writes it)", async () => {
    assert.strictEqual(await readFile(new URL("../../docs/weir.schema.json", import.meta.url), "utf8"), published())
  })

  it("docs/configuration.md is current (deno task schema writes it)", async () => {
    assert.strictEqual(await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8"), page())
  })

  it("every field has a description", () => {
    const undescribed: Array<string> = []
    const walk = (shape: { readonly [key: string]: unknown }, path: string) => {
      if (shape["description"] === undefined && path !== "") undescribed.push(path)
      const properties = Schema.decodeUnknownSync(
        Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Unknown)),
      )(
        shape["properties"] ?? {},
      )
      for (const [name, inner] of Object.entries(properties)) walk(inner, `${path}.${name}`)
    }
    walk(JSON.parse(published()), "")
    assert.deepStrictEqual(undescribed, [])
  })
})
