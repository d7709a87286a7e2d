import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import type { Message } from "../../src/broker/Broker.ts"
import { MAX_EVENT_BYTES, MAX_EVENT_DEPTH, type Mode, parseEnvelope, toMessage } from "../../src/broker/cloudevents.ts"
import { Envelope, eventIdOf } from "../../schemas/envelope.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const message = (data: Uint8Array | string, headers: Record<string, string> = {}): Message => ({
  subject: "erp.be01.invoice.requested",
  headers,
  data: typeof data === "string" ? bytes(data) : data,
})
const codeOf = (m: Message) => {
  const result = parseEnvelope(m)
  return Result.isFailure(result) ? result.failure.code : "an event"
}
const decode = Schema.decodeUnknownSync(Envelope)

const Text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(40))
const Sample = Schema.Struct({
  id: Text,
  source: Text,
  type: Schema.Literals(["invoice.requested", "customer.upserted.v2"]),
  subject: Schema.optionalKey(Text),
  time: Schema.optionalKey(Text),
  partitionkey: Schema.optionalKey(Text),
  correlationid: Schema.optionalKey(Text),
  sequence: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999 }))),
  data: Schema.Struct({ note: Schema.String, amountMinor: Schema.Int, lines: Schema.Array(Schema.String) }),
})
const roundTrips = (mode: Mode) => (sample: typeof Sample.Type) => {
  // Lone surrogates have no UTF-8 form: no publisher can send them.
  const envelope = JSON.parse(
    JSON.stringify({ specversion: "1.0", ...sample }),
    (_, value) => typeof value === "string" ? value.toWellFormed() : value,
  ) as Envelope
  const published = toMessage(envelope, "erp.be01.invoice.requested", mode)
  assert.strictEqual(published.messageId, eventIdOf(envelope))
  for (const value of Object.values(published.headers)) assert.match(value, /^[\x21-\x7e]*$/)
  const { datacontenttype, ...back } = decode(Result.getOrThrow(parseEnvelope(published)))
  assert.strictEqual(datacontenttype, mode === "binary" ? "application/json" : undefined)
  assert.deepStrictEqual(back, envelope)
}

describe("CloudEvents in NATS messages", () => {
  it.prop("structured mode round-trips", [Sample], ([sample]) => roundTrips("structured")(sample), {
    arbitrary: { runs: 200 },
  })
  it.prop(
    "binary mode round-trips, whatever characters the attributes hold",
    [Sample],
    ([sample]) => roundTrips("binary")(sample),
    { arbitrary: { runs: 200 } },
  )

  const RandomBytes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
  const HeaderName = Schema.Literals(["content-type", "ce-specversion", "ce-id", "ce-", "CE-ID", "__proto__", "x"])
  const HeaderValue = Schema.Union([
    Schema.String,
    Schema.Literals(["application/cloudevents+json", "application/json; charset=utf-8", "%", "%zz", "%ff", "1.0", ";"]),
  ])
  it.prop("never throws, whatever bytes and headers come", [
    RandomBytes,
    Schema.Array(Schema.Tuple([HeaderName, HeaderValue])),
  ], ([data, headers]) => {
    const result = parseEnvelope(message(Uint8Array.from(data), Object.fromEntries(headers)))
    assert.isTrue(Result.isSuccess(result) || result.failure.code.startsWith("EVENT-"))
  }, { arbitrary: { runs: 1000 } })
  it.prop("never throws on any JSON and is an object when it succeeds", [
    Arbitrary.schema(Schema.Union([Schema.Json, Schema.Record(Schema.String, Schema.Json)])),
  ], ([json]) => {
    const result = parseEnvelope(message(JSON.stringify(json)))
    if (Result.isSuccess(result)) assert.isTrue(typeof result.success === "object" && "specversion" in result.success)
    else assert.strictEqual(result.failure.code, "EVENT-NOT-CLOUDEVENT")
  }, { arbitrary: { runs: 300 } })

  it("takes a body with specversion as structured when nothing is marked", () => {
    const body = '{"specversion":"1.0","id":"1","source":"crm","type":"a.b","data":{}}'
    assert.strictEqual(codeOf(message(body)), "an event")
    assert.strictEqual(codeOf(message(body, { "content-type": "application/json" })), "an event")
    assert.strictEqual(
      codeOf(message(body, { "content-type": "Application/CloudEvents+JSON; charset=utf-8" })),
      "an event",
    )
  })
  it("says what is wrong with everything else", () => {
    const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "crm", "ce-type": "a.b" }
    assert.strictEqual(codeOf(message("")), "EVENT-NOT-JSON")
    assert.strictEqual(codeOf(message(Uint8Array.of(0x22, 0xff, 0x22))), "EVENT-NOT-JSON")
    assert.strictEqual(codeOf(message("{", binary)), "EVENT-NOT-JSON")
    assert.strictEqual(codeOf(message("<a/>", { ...binary, "content-type": "text/xml" })), "EVENT-NOT-JSON")
    assert.strictEqual(codeOf(message("[]")), "EVENT-NOT-CLOUDEVENT")
    assert.strictEqual(codeOf(message("null")), "EVENT-NOT-CLOUDEVENT")
    assert.strictEqual(codeOf(message('{"id":1}')), "EVENT-NOT-CLOUDEVENT")
    assert.strictEqual(codeOf(message("{}", { ...binary, "ce-id": "%zz" })), "EVENT-NOT-CLOUDEVENT")
    assert.strictEqual(
      codeOf(message("[]", { "content-type": "application/cloudevents-batch+json" })),
      "EVENT-NOT-CLOUDEVENT",
    )
    assert.strictEqual(codeOf(message('{"specversion":"1.0","data_base64":"AA=="}')), "EVENT-NOT-CLOUDEVENT")
  })
  it("lets an event of exactly the largest size through and refuses one byte more", () => {
    const frame = '{"specversion":"1.0","data":""}'
    const body = frame.replace('""', `"${"x".repeat(MAX_EVENT_BYTES - frame.length)}"`)
    assert.strictEqual(codeOf(message(body)), "an event")
    assert.strictEqual(codeOf(message(`${body} `)), "EVENT-TOO-LARGE")
  })
  it("refuses JSON that nests too deep instead of overflowing a stack", () => {
    const nested = (levels: number) => `{"specversion":"1.0","data":${"[".repeat(levels)}${"]".repeat(levels)}}`
    assert.strictEqual(codeOf(message(nested(MAX_EVENT_DEPTH - 1))), "an event")
    assert.strictEqual(codeOf(message(nested(MAX_EVENT_DEPTH))), "EVENT-NOT-CLOUDEVENT")
    assert.strictEqual(codeOf(message(nested(200_000))), "EVENT-NOT-CLOUDEVENT")
  })
  it("takes many brackets that lie side by side, or in texts", () => {
    const wide = JSON.stringify({ specversion: "1.0", data: { lines: Array.from({ length: 200 }, () => ({ a: [] })) } })
    const text = JSON.stringify({ specversion: "1.0", data: "[".repeat(500) })
    for (const body of [wide, text]) assert.strictEqual(codeOf(message(body)), "an event")
  })
  it("keeps the payload out of the problem's text", () => {
    const result = parseEnvelope(message('{"secret": hunter2'))
    assert.isTrue(Result.isFailure(result) && !result.failure.detail.includes("hunter2"))
  })
})
