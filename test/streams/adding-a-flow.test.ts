import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { vendors } from "../../docs/examples/vendors/vendors.ts"
import { Envelope } from "../../schemas/envelope.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import type { Load } from "../../src/flow/Step.ts"
import { catalog, validateCatalog } from "../../streams/catalog.ts"
import { pass, ports, publish, running, tallies } from "../simulation/World.ts"
import { company } from "./samples.ts"

const decodeEnvelope = Schema.decodeUnknownSync(Envelope)
const root = new URL("../../", import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), "utf8")

const events = read("docs/examples/vendors/events.ndjson").trim().split("\n").map((line) => JSON.parse(line))

describe("docs/adding-a-flow.md", () => {
  it("shows the example's files as they are", () => {
    const blocks = [...read("docs/adding-a-flow.md").matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gmu)]
    assert.deepStrictEqual(blocks.map((block) => block[1]), [
      "docs/examples/vendors/vendor.ts",
      "docs/examples/vendors/vendors.ts",
      "docs/examples/vendors/events.ndjson",
    ])
    for (const [, path = "", text] of blocks) assert.strictEqual(text, read(path), path)
  })

  it("adds a flow that the catalogue accepts, without a change in src/", () => {
    assert.deepStrictEqual(validateCatalog([...catalog, vendors]), [])
  })

  it("has events that the new flow reads, and a plan that writes one partner", () => {
    const spec = vendors.events[0]
    if (spec === undefined) throw new Error("the example has no event")
    const rows = events.map(({ envelope, subject }) => {
      const { data, type } = decodeEnvelope(envelope)
      assert.strictEqual(subject, `erp.be01.${type}`)
      assert.strictEqual(type, spec.type)
      const payload = Schema.decodeUnknownSync(spec.schema)(data)
      const step = spec.plan[0] as Load<unknown>
      return step.rows({
        data: payload,
        key: spec.key(payload),
        company,
        references: [],
        previous: null,
        ids: {},
        read: {},
      })
    })
    assert.deepStrictEqual(rows[0], {
      externalId: "weir_be01.vendors_VEN-17",
      values: {
        name: "Harbour Print",
        is_company: true,
        ref: "VEN-17",
        "company_id/.id": "3",
        "country_id/id": "base.be",
        email: "hello@harbour-print.example.test",
      },
    })
    assert.strictEqual(new Set(rows.map((row) => "externalId" in row ? row.externalId : "")).size, 1)
  })

  it.effect("runs in the whole pipeline: two versions applied, the late one superseded, one partner, one fact told", () => {
    const world = ports()
    return Effect.gen(function* () {
      yield* publish(...events.map(({ envelope, subject }) => toMessage(decodeEnvelope(envelope), subject)))
      yield* pass(5)
      const tally = (yield* tallies()).get("vendors")
      assert.deepStrictEqual([tally?.applied, tally?.superseded], [2, 1])
      const partners = [...world.standIn.store.tables.get("res.partner")!.rows.values()]
      assert.deepStrictEqual(
        partners.filter((row) => row["ref"] === "VEN-17").map((row) => row["name"]),
        ["Harbour Print & Sign"],
      )
      const subjects = yield* Broker.use((broker) => broker.subjects("erp-out.>"))
      assert.deepStrictEqual([...subjects], [["erp-out.be01.vendor.registered", 2]])
    }).pipe(Effect.provide(running({ flows: [...catalog, vendors] })), Effect.provide(world.layer))
  })
})
