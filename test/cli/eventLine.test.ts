import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type LineOptions, makeLineReader } from "../../src/cli/eventLine.ts"
import { catalog } from "../../streams/catalog.ts"

const reader = (options: Partial<LineOptions> = {}) =>
  makeLineReader({ entity: null, entities: new Set(["be01"]), flows: catalog, unchecked: false, ...options })

const customer = {
  specversion: "1.0",
  id: "1",
  source: "//crm",
  type: "customer.upserted",
  data: { key: "CUS-1", name: "Ada", kind: "company", address: { country: "BE" } },
}
const fixture = { subject: "erp.be01.customer.upserted", envelope: customer, at: 12 }

const read = (line: unknown, options: Partial<LineOptions> = {}) =>
  reader(options)(typeof line === "string" ? line : JSON.stringify(line))
const problem = (line: unknown, options: Partial<LineOptions> = {}): string => {
  const result = read(line, options)
  return Result.isFailure(result) ? result.failure : "none"
}

describe("a line of a file of events", () => {
  it("may be a fixture's line, whose message id is the event's identity", () => {
    const { flow, publication } = Result.getOrThrow(read(fixture))
    assert.strictEqual(flow, "customers")
    assert.strictEqual(publication.subject, "erp.be01.customer.upserted")
    assert.strictEqual(publication.messageId, "//crm#1")
    assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(publication.data)), customer)
  })

  it("may be a CloudEvent, whose subject comes from --entity or its attribute entity", () => {
    assert.strictEqual(
      Result.getOrThrow(read(customer, { entity: "be01" })).publication.subject,
      "erp.be01.customer.upserted",
    )
    assert.strictEqual(
      Result.getOrThrow(read({ ...customer, entity: "be01" }, { entity: "nl01", entities: new Set() })).publication
        .subject,
      "erp.be01.customer.upserted",
    )
    assert.include(problem(customer), "--entity")
  })

  it("keeps the version out of the subject", () => {
    const line = read({ ...customer, type: "customer.upserted.v1" }, { entity: "be01" })
    assert.strictEqual(Result.getOrThrow(line).publication.subject, "erp.be01.customer.upserted")
  })

  it("is checked like the service will: with the same codes", () => {
    assert.strictEqual(problem("nonsense"), "not a JSON object")
    assert.strictEqual(problem("[1]"), "not a JSON object")
    assert.match(problem({ ...fixture, envelope: { ...customer, data: {} } }), /^EVENT-INVALID: .*name/u)
    assert.match(problem({ ...fixture, envelope: { ...customer, id: "" } }), /^EVENT-NOT-CLOUDEVENT: /u)
    const strayed = { ...fixture, envelope: { ...fixture.envelope, entity: "us01" } }
    assert.strictEqual(problem(strayed), "LEGAL-ENTITY-MISMATCH: the event is of us01, the subject says be01")
    assert.match(problem({ ...fixture, subject: "erp.be01.customer.deleted" }), /^EVENT-SUBJECT-MISMATCH: /u)
    assert.match(problem({ ...fixture, subject: "erp.xx99.customer.upserted" }), /^EVENT-UNKNOWN-ENTITY: .*xx99/u)
    assert.match(problem({ ...fixture, subject: "erp.be01.weather.changed" }), /^EVENT-UNKNOWN-TYPE: .*weather/u)
    assert.match(
      problem({ ...customer, type: "customer.upserted.v99" }, { entity: "be01" }),
      /^EVENT-FUTURE-VERSION: /u,
    )
    assert.include(problem({ subject: "orders.new", envelope: customer }), "erp.<entity>")
    assert.include(problem({ subject: fixture.subject }), "either envelope or raw")
  })

  it("never shows the payload in a problem", () => {
    const secret = { ...customer, data: { ...customer.data, name: 42, note: "hunter2" } }
    assert.notInclude(problem({ ...fixture, envelope: secret }), "hunter2")
  })

  it("is published as it is when raw, with an id that the same bytes get again", () => {
    const raw = { subject: fixture.subject, raw: Buffer.from("{broken").toString("base64") }
    const { flow, publication } = Result.getOrThrow(read(raw))
    assert.strictEqual(flow, "raw")
    assert.strictEqual(new TextDecoder().decode(publication.data), "{broken")
    assert.strictEqual(publication.messageId, Result.getOrThrow(read({ ...raw, at: 5 })).publication.messageId)
    assert.include(problem({ subject: fixture.subject, raw: "***" }), "raw")
  })

  it("is published although it is invalid when told so", () => {
    const bad = { ...fixture, envelope: { ...customer, data: {} } }
    assert.isTrue(Result.isSuccess(read(bad, { unchecked: true })))
  })

  it("may bring headers, whose names end up in lower case", () => {
    const { publication } = Result.getOrThrow(read({ ...fixture, headers: { "Nats-Msg-Id": "again", "X-Test": "1" } }))
    assert.strictEqual(publication.messageId, "again")
    assert.strictEqual(publication.headers["x-test"], "1")
  })
})
