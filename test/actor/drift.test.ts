import { assert, describe, it } from "@effect/vitest"
import { makeDecoder } from "../../src/actor/decode.ts"
import { makeDrift } from "../../src/actor/drift.ts"
import { invoices } from "../../streams/invoices.ts"
import { publication } from "../simulation/World.ts"
import { invoice } from "../streams/samples.ts"

describe("drift", () => {
  const received = (...payloads: ReadonlyArray<typeof invoice>) => {
    const drift = makeDrift(invoices)
    const decoder = makeDecoder(invoices, drift.look)
    for (const [at, data] of payloads.entries()) {
      const message = publication("invoice.requested", data, { id: `e${at}` })
      const item = decoder.delivery({
        ...message,
        streamSequence: at + 1,
        storedAtMillis: 0,
        deliveries: 1,
        ack: () => {},
        working: () => {},
      } as never)
      assert.isNull(item.rejection)
    }
    return drift
  }

  it("is none when events bring what their schema knows", () => {
    assert.isNull(received(invoice).take())
  })

  it("counts each unknown field, and names each once, at whatever depth, without its value", () => {
    const strange = {
      ...invoice,
      mood: "secret-1",
      lines: invoice.lines.map((line) => ({ ...line, colour: "secret-2" })),
    }
    const drift = received(strange, strange)
    const found = drift.take()
    assert.deepStrictEqual([...found!.counts], [["invoice.requested", 6]])
    assert.deepStrictEqual([...found!.names].sort(), [
      "invoice.requested: lines.[].colour",
      "invoice.requested: mood",
    ])
    assert.isNull(drift.take(), "it is told once")
  })

  it("remembers a bounded number of names, and shows nothing that could break a log line", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`field${at}\n`, 1]))
    const found = received({ ...invoice, ...many }).take()
    assert.strictEqual(found?.counts.get("invoice.requested"), 500)
    assert.strictEqual(found?.names.length, 100)
    assert.include(found?.names[0], "field0?")
  })
})
