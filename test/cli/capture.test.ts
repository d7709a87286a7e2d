/** Captured fixtures: nobody's data, everybody's load. The base salt is fixed; `SEED` gives another one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { load } from "../../fixtures/scenario.ts"
import { Broker, type Publication, type StoredMessage } from "../../src/broker/Broker.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import { capture, type CaptureOptions } from "../../src/cli/fixture/capture/capture.ts"
import { Permutation } from "../../src/cli/fixture/capture/Permutation.ts"
import { Pseudonyms } from "../../src/cli/fixture/capture/Pseudonyms.ts"
import { Transcript } from "../../src/cli/fixture/capture/Transcript.ts"
import { Types } from "../../src/cli/fixture/capture/Types.ts"
import { makeLineReader } from "../../src/cli/eventLine.ts"
import { catalog } from "../../streams/catalog.ts"
import { classificationAt } from "../../src/operate/masking.ts"
import { pass } from "../simulation/World.ts"
import { exampleOf } from "../streams/examples.ts"

const SALT = new TextEncoder().encode(`salt ${process.env["SEED"] ?? 1}`)
const specs = new Map(catalog.flatMap((flow) => flow.events).map((spec) => [spec.type, spec]))
const read = makeLineReader({ entity: null, entities: new Set(), flows: catalog, unchecked: true })

type Json = { readonly [name: string]: unknown }
interface Line {
  readonly at: number
  readonly subject: string
  readonly envelope?: Json
  readonly raw?: string
}

const linesOf = (folder: string): ReadonlyArray<Line> =>
  readFileSync(join(folder, "events.ndjson"), "utf8").trim().split("\n").map((line) => JSON.parse(line))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "weir-capture-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true })),
)

/** The lines in a stream, each stored at its time. */
const published = Effect.fnUntraced(function* (lines: ReadonlyArray<Line>) {
  const broker = yield* Broker
  yield* broker.provision
  yield* TestClock.setTime(Date.UTC(2026, 9, 1))
  let at = 0
  for (const [number, line] of lines.entries()) {
    yield* TestClock.adjust(line.at - at)
    at = line.at
    const { publication } = Result.getOrThrow(read(JSON.stringify(line)))
    yield* broker.publish([{ ...publication, messageId: `m${number}` } satisfies Publication])
  }
})

/** Captures, with virtual time passing for the rehearsal. */
const captured = Effect.fnUntraced(function* (out: string, options: Partial<CaptureOptions> = {}) {
  const fiber = yield* Effect.forkChild(capture({
    range: whole,
    name: "captured",
    folder: out,
    salt: SALT,
    entities: new Map(),
    ...options,
  }))
  while (fiber.pollUnsafe() === undefined) yield* pass(2)
  return yield* Fiber.join(fiber)
})

/** Leaves of `data` with their paths. */
const leaves = (
  data: unknown,
  path: ReadonlyArray<string | number> = [],
): ReadonlyArray<readonly [ReadonlyArray<string | number>, unknown]> =>
  typeof data !== "object" || data === null
    ? [[path, data]]
    : Object.entries(data).flatMap(([name, part]) => leaves(part, [...path, Array.isArray(data) ? Number(name) : name]))

const at = (data: unknown, path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((part, name) => (part as Record<string | number, unknown> | undefined)?.[name], data)

const keyOf = ({ envelope }: Line): string | null => {
  const type = String(envelope?.["type"])
  const key = (envelope?.["data"] as Json | undefined)?.["key"]
  // Of what no flow knows nothing is left but its envelope.
  return typeof key === "string" && specs.has(type) ? `${type}/${key}` : null
}

const counted = (keys: ReadonlyArray<string | null>): ReadonlyArray<number> =>
  Object.values(Object.groupBy(keys, (key) => key ?? "none")).map((own) => own!.length)

const whole = {
  subject: "erp.>",
  fromSequence: 1,
  toSequence: Number.POSITIVE_INFINITY,
  sinceMillis: 0,
  untilMillis: Number.POSITIVE_INFINITY,
  limit: 100_000,
}

describe("a captured fixture", () => {
  it.effect(
    "has nothing personal or financial of the original, the same skew of keys and the same arrivals",
    () =>
      Effect.gen(function* () {
        const out = yield* folder
        const all = linesOf("fixtures/bad-month")
        const original = all.filter(({ subject }) => subject.startsWith("erp.uk01."))
        yield* published(all)
        const { events, leftOut } = yield* captured(out, { range: { ...whole, subject: "erp.uk01.>" } })
        const copy = linesOf(out)
        assert.deepStrictEqual([events, leftOut, copy.length], [original.length, 0, original.length])

        // Values, that is: a street is a field of every address.
        const text = copy.flatMap(({ envelope }) => leaves(envelope).map(([, value]) => value)).join(" ").toLowerCase()
        const words = new Set<string>()
        let compared = 0
        for (const [number, { envelope }] of original.entries()) {
          const spec = specs.get(String(envelope?.["type"]))
          if (spec === undefined) continue
          for (const [path, value] of leaves(envelope?.["data"])) {
            const classification = classificationAt(spec.schema, path)
            if (classification === null || Number(value) === 0) continue
            compared++
            assert.notStrictEqual(at(copy[number]!.envelope?.["data"], path), value, `${spec.type} ${path.join(".")}`)
            if (classification !== "personal") continue
            for (const word of String(value).toLowerCase().match(/[\p{L}\p{N}]{6,}/gu) ?? []) words.add(word)
          }
        }
        assert.isAbove(compared, 2_000)
        assert.isAbove(words.size, 15)
        assert.deepStrictEqual([...words].filter((word) => text.includes(word)), [])

        assert.deepStrictEqual(counted(copy.map(keyOf)).toSorted(), counted(original.map(keyOf)).toSorted())
        const pseudonyms = new Map(original.map((line, number) => [keyOf(line), keyOf(copy[number]!)]))
        assert.strictEqual(new Set(pseudonyms.values()).size, pseudonyms.size)
        for (const [was, is] of pseudonyms) if (was !== null) assert.notStrictEqual(is, was)

        const arrivals = (lines: ReadonlyArray<Line>) => lines.map((line) => line.at - lines[0]!.at)
        assert.deepStrictEqual(arrivals(copy), arrivals(original))

        // What went wrong goes wrong as often: taxes that are not Odoo's, corrections, records that nobody can read.
        const { entities } = (yield* load(out)).expected
        const before = (yield* load("fixtures/bad-month")).expected.entities["uk01"]!
        const after = entities["uk01"]!
        assert.deepStrictEqual(Object.keys(entities), ["uk01"])
        for (const code of ["TAX-MISMATCH", "EVENT-INVALID", "EVENT-FUTURE-VERSION"]) {
          assert.strictEqual(after.exceptions[code], before.exceptions[code], code)
        }
        assert.deepStrictEqual(after.flows.customers, before.flows.customers)
        assert.strictEqual(after.odoo.invoices.records, after.flows.invoices.applied)
        // Paid as far as they were: most of what is invoiced, but not all.
        const share = Number(after.odoo.invoices.residual) / Number(after.odoo.invoices.total)
        assert.isAbove(share, 0)
        assert.isBelow(share, 0.5)
      }).pipe(Effect.provide(MemoryBroker.layer())),
    120_000,
  )

  it.effect("is the same for the same salt and another one for another", () =>
    Effect.gen(function* () {
      const [first, second, third] = [yield* folder, yield* folder, yield* folder]
      yield* published(linesOf("fixtures/approve-all").slice(0, 60))
      const range = { ...whole, fromSequence: 11, limit: 30 }
      const one = yield* captured(first, { range })
      assert.deepStrictEqual([one.events, one.cut], [30, true])
      assert.strictEqual((yield* captured(second, { range })).sha256, one.sha256)
      assert.notStrictEqual((yield* captured(third, { range, salt: new Uint8Array(32) })).sha256, one.sha256)
      for (const name of ["expected.json", "weir.json", "employees.json"]) {
        assert.strictEqual(readFileSync(join(second, name), "utf8"), readFileSync(join(first, name), "utf8"), name)
      }
      // It is published as it stands.
      const strict = makeLineReader({ entity: null, entities: new Set(), flows: catalog, unchecked: false })
      for (const line of linesOf(first)) assert.isTrue(Result.isSuccess(strict(JSON.stringify(line))))
    }).pipe(Effect.provide(MemoryBroker.layer())), 60_000)

  it.effect("of nothing is not made", () =>
    Effect.gen(function* () {
      const out = yield* folder
      yield* published([])
      const { message } = yield* Effect.flip(
        capture({ range: whole, name: "x", folder: out, salt: SALT, entities: new Map() }),
      )
      assert.include(message, "holds nothing")
    }).pipe(Effect.provide(MemoryBroker.layer())))
})

describe("an event of every type", () => {
  for (const spec of specs.values()) {
    it(`${spec.type} is read like before, and says nothing of what it said`, () => {
      const { data, ...attributes } = exampleOf(spec.type)
      const transcript = new Transcript({
        types: new Types(catalog),
        pseudonyms: new Pseudonyms(SALT),
        rates: new Map(),
        entities: new Set(),
        firstAtMillis: 0,
      })
      const message: StoredMessage = {
        ...toMessage({ ...attributes, data: { ...data as Json, nickname: "Zoë Jansen" } }, `erp.be01.${spec.type}`),
        streamSequence: 1,
        storedAtMillis: 5,
      }
      const line = transcript.line(message)
      assert.deepStrictEqual([transcript.leftOut, transcript.dropped > 0, line?.at], [0, true, 5])
      for (const [path, value] of leaves(data)) {
        if (classificationAt(spec.schema, path) === null || Number(value) === 0) continue
        assert.notStrictEqual(at(line?.envelope?.["data"], path), value, path.join("."))
      }
      assert.notInclude(JSON.stringify(line), "Zoë")
      assert.notInclude(JSON.stringify(line), attributes.id)
    })
  }
})

describe("pseudonyms", () => {
  const pseudonyms = new Pseudonyms(SALT)

  it("are one for each key, of the same shape, and never the key itself", () => {
    for (const size of [2n, 3n, 26n, 100n, 260n, 1_000n]) {
      const seen = new Set<bigint>()
      let value = 0n
      const permutation = new Permutation(SALT)
      do {
        seen.add(value)
        value = permutation.next(value, size, "")
      } while (value !== 0n)
      assert.strictEqual(BigInt(seen.size), size)
    }
    const keys = Array.from({ length: 1_000 }, (_, number) => `CUS-${String(number).padStart(3, "0")}a`)
    const made = keys.map((key) => pseudonyms.key(key))
    assert.strictEqual(new Set(made).size, keys.length)
    for (const one of made) assert.match(one ?? "", /^[A-Z]{3}-\d{3}[a-z]$/u)
    assert.isFalse(keys.some((key, number) => key === made[number]))
    assert.isNull(pseudonyms.key("--"))
  })

  it("of decimals have as many digits, the same sign, and are what the field takes", () => {
    for (
      const [value, shape] of [["125.50", /^\d{3}\.\d0$/u], ["-7.25", /^-\d\.\d\d$/u], ["0.5", /^0\.\d$/u]] as const
    ) {
      assert.match(pseudonyms.decimal(value) ?? "", shape)
      assert.notStrictEqual(pseudonyms.decimal(value), value)
    }
    assert.strictEqual(Number(pseudonyms.decimal("0.00")), 0)
    // The same value is the same, however it is written.
    assert.strictEqual(Number(pseudonyms.decimal("125.5")), Number(pseudonyms.decimal("125.500")))
    for (let hours = 10; hours <= 24; hours++) {
      assert.isAtMost(Number(pseudonyms.decimal(`${hours}`, (text) => Number(text) <= 24)), 24)
    }
    assert.strictEqual(pseudonyms.decimal("5", (text) => text === "5"), null)
  })

  it("of texts have none of their words; mail addresses lead nowhere", () => {
    const text = pseudonyms.text("Zoë van Dijk, 3de verdieping")
    assert.match(text, /^[A-Z][a-z]{2} [a-z]{3} [A-Z][a-z]{3}, \d[a-z]{2} [a-z]{10}$/u)
    assert.match(pseudonyms.text("jan.jansen@firm.example.com"), /^[a-z]{3}\.[a-z]{6}@[a-z]{4}\.[a-z]{7}\.test$/u)
    assert.strictEqual(pseudonyms.text("JAN@firm.be").toLowerCase(), pseudonyms.text("jan@firm.be"))
  })
})
