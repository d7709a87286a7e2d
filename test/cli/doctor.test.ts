import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Broker, BrokerError } from "../../src/broker/Broker.ts"
import { odooFindings } from "../../src/cli/checkOdoo.ts"
import { brokerFindings } from "../../src/cli/checkServers.ts"
import { configurationFindings } from "../../src/cli/doctor.ts"
import type { Finding } from "../../src/cli/findings.ts"
import { check } from "../../src/config/load.ts"
import { type Json, Odoo, type OdooCall, OdooError } from "../../src/odoo/Odoo.ts"

const values = {
  databases: { main: { url: "http://odoo:8069", database: "prod", key: { env: "KEY" } } },
  entities: {
    be01: {
      database: "main",
      company: 1,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: "21% S", S0: 7 },
      purchaseTaxes: { P21: "21% P" },
      accounts: { "write-off": "642000" },
      shadow: { fields: { "account.move": "x_number" } },
    },
  },
}
const settings = check("weir.json", values, {}).pipe(Effect.map(({ configuration }) => configuration), Effect.orDie)

type Answers = { readonly [model: string]: Json | OdooError }

const sound: Answers = {
  "res.users": { lang: "en_US", uid: 5 },
  "res.users.apikeys": [{ id: 1, create_date: "1970-01-01 00:00:00", expiration_date: false }],
  "res.partner.category": [],
  "res.company": [{ id: 1, name: "Acme BE", currency_id: [1, "EUR"] }],
  "account.journal": [{ id: 3, code: "INV" }, { id: 4, code: "BNK1" }],
  "account.account": [{ id: 8, code: "642000" }],
  "account.tax sale": [{ id: 6, name: "21% S" }, { id: 7, name: "0%" }],
  "account.tax purchase": [{ id: 9, name: "21% P" }],
  "account.move": { x_number: { type: "char" } },
}

/** Taxes are asked by their use. */
const subjectOf = ({ args, model }: OdooCall): string => {
  const uses = (args?.["domain"] as ReadonlyArray<ReadonlyArray<Json>> | undefined)?.filter(([field]) =>
    field === "type_tax_use"
  )
  return [model, ...(uses ?? []).map(([, , use]) => use)].join(" ")
}

const odooWith = (answers: Answers, version: string | OdooError = "19.0"): Layer.Layer<Odoo> =>
  Layer.succeed(Odoo, {
    call: (call: OdooCall) =>
      Effect.suspend(() => {
        const answer = answers[subjectOf(call)]
        return answer instanceof OdooError ? Effect.fail(answer) : Effect.succeed(answer ?? null)
      }),
    version: () => typeof version === "string" ? Effect.succeed(version) : Effect.fail(version),
  })

const found = (layer: Layer.Layer<Odoo>) => Effect.flatMap(settings, (all) => Effect.provide(odooFindings(all), layer))

const bad = (findings: ReadonlyArray<Finding>) =>
  findings.filter(({ level }) => level !== "ok").map(({ area, check, detail }) => `${area} ${check}: ${detail}`)

describe("weir doctor on Odoo", () => {
  it.effect("is content when company, currency, journals and taxes stand there", () =>
    Effect.gen(function* () {
      const findings = yield* found(odooWith(sound))
      assert.deepStrictEqual(bad(findings), [])
      assert.deepStrictEqual(findings.map(({ area, check }) => `${area} ${check}`), [
        "main version",
        "main key",
        "main age of key",
        "main environment",
        "be01 company",
        "be01 currency",
        "be01 journals",
        "be01 taxes",
        "be01 purchaseTaxes",
        "be01 accounts",
        "be01 shadow.fields",
      ])
    }))

  it.effect("names each thing that is missing, and what to do", () =>
    Effect.gen(function* () {
      const findings = yield* found(odooWith({
        ...sound,
        "res.company": [{ id: 1, name: "Acme BE", currency_id: [2, "USD"] }],
        "account.journal": [{ id: 3, code: "INV" }],
        // A tax of the wrong use is none.
        "account.tax sale": [{ id: 6, name: "21% S" }],
        "account.tax purchase": [],
        "account.account": [],
        "account.move": {},
      }))
      assert.deepStrictEqual(bad(findings), [
        "be01 currency: Odoo has USD",
        "be01 journals: missing: bank BNK1",
        "be01 taxes: missing: S0 7",
        "be01 purchaseTaxes: missing: P21 21% P",
        "be01 accounts: missing: write-off 642000",
        "be01 shadow.fields: missing: account.move x_number",
      ])
      for (const { action, level } of findings) assert.strictEqual(action === "", level === "ok")
    }))

  it.effect("says that a company cannot be seen", () =>
    Effect.gen(function* () {
      assert.include(
        bad(yield* found(odooWith({ ...sound, "res.company": [] }))),
        "be01 company: Odoo shows no company 1",
      )
    }))

  it.effect("does not go on to the entities of a database that does not answer or is too old", () =>
    Effect.gen(function* () {
      const away = new OdooError({ code: "ODOO-UNAVAILABLE", operation: "version", message: "refused" })
      assert.deepStrictEqual(bad(yield* found(odooWith(sound, away))), [
        "main version: refused",
        "be01 company: not checked",
      ])
      assert.deepStrictEqual(bad(yield* found(odooWith(sound, "18.0"))), [
        "main version: 18.0",
        "be01 company: not checked",
      ])
    }))

  it.effect("tells a refused key from an Odoo that is away", () =>
    Effect.gen(function* () {
      const refused = new OdooError({
        code: "ODOO-AUTH",
        operation: "res.users/context_get",
        message: "Invalid apikey",
      })
      const findings = yield* found(odooWith({ ...sound, "res.users": refused }))
      assert.include(bad(findings), "main key: Invalid apikey")
      assert.include(findings.find(({ check }) => check === "key")?.action, "databases.main.key")
    }))
})

describe("weir doctor on what ends and what is for something else", () => {
  it.effect("says how old the key is, and warns two weeks before it ends", () =>
    Effect.gen(function* () {
      const keys = (expiration_date: string | false) => ({
        ...sound,
        "res.users.apikeys": [
          { id: 1, create_date: "1970-01-01 00:00:00", expiration_date: false },
          { id: 2, create_date: "1970-01-01 00:00:00", expiration_date },
        ],
      })
      assert.deepStrictEqual(bad(yield* found(odooWith(keys("1970-02-01 00:00:00")))), [])
      const soon = yield* found(odooWith(keys("1970-01-10 00:00:00")))
      assert.deepStrictEqual(bad(soon), [
        "main age of key: 0 days old, ends on 1970-01-10; the first of 2 keys of this user",
      ])
      assert.include(soon.find(({ check }) => check === "age of key")?.action, "databases.main.key")
    }))

  it.effect("fails on an Odoo that is marked as another environment, and asks for a mark where there is none", () =>
    Effect.gen(function* () {
      const staging = (marks: ReadonlyArray<string>) =>
        check("weir.json", { ...values, environment: "staging" }, {}).pipe(
          Effect.orDie,
          Effect.flatMap(({ configuration }) =>
            Effect.provide(
              odooFindings(configuration),
              odooWith({ ...sound, "res.partner.category": marks.map((name) => ({ name })) }),
            )
          ),
        )
      assert.deepStrictEqual(bad(yield* staging(["weir: staging"])), [])
      assert.deepStrictEqual(bad(yield* staging([])), ["main environment: not marked"])
      assert.deepStrictEqual(bad(yield* staging(["weir: production"])).slice(0, 1), ["main environment: production"])
    }))
})

describe("weir doctor on the broker", () => {
  const stream = {
    name: "ERP",
    messages: 0,
    bytes: 0,
    firstSequence: 1,
    lastSequence: 0,
    storage: "file" as const,
    replicas: 3,
  }
  const sound = { server: "nats:4222", version: "2.12.1", jetstream: true, stream }
  const described = (description: typeof sound | { readonly stream: { readonly storage: "memory" } }) =>
    brokerFindings.pipe(Effect.provide(Layer.mock(Broker, {
      describe: Effect.succeed({ ...sound, ...description, stream: { ...stream, ...description.stream } }),
    })))

  it.effect("is content with a current server, file storage and three replicas", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(bad(yield* described(sound)), [])
    }))

  it.effect("fails on memory storage, an old server and a missing JetStream; one replica is a warning", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(bad(yield* described({ ...sound, version: "2.8.4" })), [
        "broker version: 2.8.4 on nats:4222",
      ])
      assert.deepStrictEqual(bad(yield* described({ ...sound, jetstream: false })), ["broker JetStream: off"])
      assert.deepStrictEqual(bad(yield* described({ stream: { storage: "memory" } })), [
        "broker storage: memory: a restart loses events",
      ])
      const [one] = (yield* described({ ...sound, stream: { ...stream, replicas: 1 } })).filter(({ level }) =>
        level !== "ok"
      )
      assert.strictEqual(one?.level, "warn")
    }))

  it.effect("turns an error into a finding", () =>
    Effect.gen(function* () {
      const error = new BrokerError({ reason: "Refused", operation: "describe", message: "stream not found" })
      const findings = yield* brokerFindings.pipe(Effect.provide(Layer.mock(Broker, { describe: Effect.fail(error) })))
      assert.deepStrictEqual(bad(findings), ["broker stream: stream not found"])
    }))
})

describe("weir doctor on the configuration", () => {
  it.effect("points at unused databases, unknown variables and an open port", () =>
    Effect.gen(function* () {
      const loaded = yield* check(
        "weir.json",
        { databases: values.databases, http: { host: "0.0.0.0" } },
        { WEIR_HTP_PORT: "1" },
      )
      const findings = configurationFindings({ ...loaded, file: "weir.json" })
      assert.deepStrictEqual(bad(findings).map((line) => line.split(":")[0]), [
        "configuration entities",
        "configuration databases",
        "configuration variables",
        "configuration http",
      ])
    }))

  it.effect("asks for the key that taking over needs, and for its removal afterwards", () =>
    Effect.gen(function* () {
      const found = Effect.fnUntraced(function* (adoption: boolean, from: object) {
        const main = { url: "http://127.0.0.1:8069", database: "odoo", key: { env: "K" } }
        const be01 = { database: "main", company: 3, currency: "EUR", journals: { sales: "INV" }, taxes: {} }
        const configured = {
          databases: { main: { ...main, ...adoption && { adoption: { env: "A" } } } },
          entities: { be01: { ...be01, cutover: { from } } },
        }
        const loaded = yield* check("weir.json", configured, {})
        return bad(configurationFindings({ ...loaded, file: "weir.json" })).map((line) => line.split(":")[0])
      })
      const invoices = { invoices: "2026-12-01" }
      assert.deepStrictEqual(yield* found(false, invoices), ["configuration cutover"])
      assert.deepStrictEqual(yield* found(true, invoices), [])
      assert.deepStrictEqual(yield* found(true, {}), ["configuration cutover"])
      assert.deepStrictEqual(yield* found(false, {}), [])
    }))

  it.effect("says when the heap is too small for so many legal entities, and what would do", () =>
    Effect.gen(function* () {
      const found = Effect.fnUntraced(function* (count: number, flows?: ReadonlyArray<string>) {
        const entity = { ...values.entities.be01, ...flows !== undefined && { flows } }
        const entities = Object.fromEntries(
          Array.from({ length: count }, (_, n) => [`e${n}`, { ...entity, company: n + 1 }]),
        )
        const loaded = yield* check("weir.json", { ...values, entities }, {})
        return configurationFindings({ ...loaded, file: "weir.json" }, 304).filter(({ check }) => check === "heap")
      })
      assert.deepStrictEqual(yield* found(40), [])
      assert.deepStrictEqual(yield* found(150, ["customers", "invoices"]), [])
      const [heap] = yield* found(150)
      assert.strictEqual(heap?.level, "warn")
      assert.match(heap?.detail ?? "", /^bounded to 304 MiB; 150 legal entities with \d+ flows need about \d+ /u)
      const needed = Number(/about (\d+)/u.exec(heap?.detail ?? "")?.[1])
      assert.isAbove(needed, 304)
      assert.include(heap?.action, `--max-old-space-size=${needed}`)
    }))
})
