import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { Broker } from "../../src/broker/Broker.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import { makeLineReader } from "../../src/cli/eventLine.ts"
import { fileLines, MAX_TOLD, send, stdinLines, survey } from "../../src/cli/publishing.ts"
import { catalog } from "../../streams/catalog.ts"

const read = makeLineReader({ entity: "be01", entities: new Set(["be01"]), flows: catalog, unchecked: false })

const customer = (id: number) =>
  JSON.stringify({
    specversion: "1.0",
    id: String(id),
    source: "//crm",
    type: "customer.upserted",
    data: { key: `CUS-${id}`, name: "Ada", kind: "company", address: { country: "BE" } },
  })

const fileWith = (lines: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "weir-publish-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true })),
    )
    const path = join(folder, "events.ndjson")
    yield* Effect.promise(() => writeFile(path, lines.join("\n")))
    return fileLines(path)
  })

const provisioned = Layer.effectDiscard(Broker.use((broker) => broker.provision)).pipe(
  Layer.provideMerge(MemoryBroker.layer()),
)

describe("publishing a file", () => {
  it.effect("names invalid lines by their number and counts the rest by flow", () =>
    Effect.gen(function* () {
      const lines = yield* fileWith([customer(1), "", "nonsense", customer(2), "{}"])
      const found = yield* survey(lines, read)
      assert.deepStrictEqual(found.problems.map(({ line }) => line), [3, 5])
      assert.deepInclude(found, { valid: 2, invalid: 2, byFlow: { customers: 2 } })
    }))

  it.effect("tells a bounded number of invalid lines, and counts them all", () =>
    Effect.gen(function* () {
      const found = yield* survey(yield* fileWith(Array.from({ length: 50 }, () => "x")), read)
      assert.strictEqual(found.invalid, 50)
      assert.strictEqual(found.problems.length, MAX_TOLD)
    }))

  it.effect("sends valid lines in order, over many batches", () =>
    Effect.gen(function* () {
      const lines = yield* fileWith(Array.from({ length: 1_201 }, (_, index) => index === 600 ? "x" : customer(index)))
      assert.deepStrictEqual(yield* send(lines, read), { published: 1_200, duplicates: 0 })
      const subjects = yield* Broker.use((broker) => broker.subjects("erp.>"))
      assert.deepStrictEqual([...subjects], [["erp.be01.customer.upserted", 1_200]])
    }).pipe(Effect.provide(provisioned)))

  it.effect("again changes nothing: the events are there already", () =>
    Effect.gen(function* () {
      const lines = yield* fileWith([customer(1), customer(2)])
      yield* send(lines, read)
      assert.deepStrictEqual(yield* send(lines, read), { published: 0, duplicates: 2 })
    }).pipe(Effect.provide(provisioned)))

  it.effect("that stops midway says how far it came and that sending again is safe", () =>
    Effect.gen(function* () {
      const faults = yield* MemoryBroker.BrokerFaults
      const broker = yield* Broker
      let calls = 0
      const dying = Broker.of({
        ...broker,
        publish: (batch) =>
          Effect.suspend(() =>
            ++calls === 2 ? Effect.andThen(faults.setReachable(false), broker.publish(batch)) : broker.publish(batch)
          ),
      })
      const lines = yield* fileWith(Array.from({ length: 600 }, (_, index) => customer(index)))
      const error = yield* Effect.flip(send(lines, read).pipe(Effect.provideService(Broker, dying)))
      assert.include(error.message, "Stopped after 500 events")
      assert.include(error.message, "not booked twice")
    }).pipe(Effect.provide(provisioned)))

  it.effect("takes standard input as well, which is read once and used twice", () =>
    Effect.gen(function* () {
      const input = Readable.from([Buffer.from(`${customer(1)}\n${customer(2)}\n`)])
      const lines = yield* stdinLines(input)
      assert.strictEqual((yield* survey(lines, read)).valid, 2)
      assert.strictEqual((yield* send(lines, read)).published, 2)
    }).pipe(Effect.provide(provisioned)))

  it.effect("that is not there is a failure with its name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(survey(fileLines("/nowhere/events.ndjson"), read))
      assert.include(error.message, "/nowhere/events.ndjson")
    }))
})
