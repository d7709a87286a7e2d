/** What dies while rows leave: they are in the ledger, in a file, or in both, and the next archiving ends it. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { archive } from "../../src/archive/archive.ts"
import type { Retention } from "../../src/archive/policy.ts"
import { type Disk, disk, make, Vault } from "../../src/archive/Vault.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { Archives } from "../../src/ledger/Archives.ts"
import { MemoryLedger } from "../../src/ledger/MemoryLedger.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { catalog } from "../../streams/catalog.ts"
import { inspect } from "../operate/Office.ts"
import { ports, tallies } from "../simulation/World.ts"
import { eventIds, folder, grownOld } from "./World.ts"

const retentionOf = (directory: string): Retention => ({
  directory,
  hour: 0,
  events: Duration.days(62),
  exceptions: Duration.days(62),
  audit: Duration.days(62),
  runs: Duration.zero,
  unproven: "archive",
})

let ids = 0

/** One archiving, as the actor carries it out. Answers whether it succeeded. */
const archiving = Effect.fnUntraced(function* (directory: string, on: Disk = disk) {
  const runs = yield* Runs
  const runId = `crash-${++ids}`
  const request = { entity: "be01", runId, kind: "archive", state: "examining", request: { apply: true } } as const
  yield* runs.open({ ...request, requestedBy: "ada", reason: "test" })
  const run = (yield* runs.run("be01", runId))!
  const exit = yield* Effect.exit(
    archive(run, retentionOf(directory), catalog).pipe(Effect.provideService(Vault, make(directory, on))),
  )
  return exit._tag === "Success"
})

const inLedger = Effect.map(
  inspect,
  (entities) => entities.find(({ entity }) => entity === "be01")!.events.map(({ record }) => record.eventId),
)

/** Ids in files under their own names; a file that is not whole has another. */
const inFiles = (directory: string): ReadonlyArray<string> => {
  const at = join(directory, "be01", "events")
  const names = existsSync(at) ? readdirSync(at).filter((name) => name.endsWith(".ndjson")) : []
  return names.flatMap((name) =>
    readFileSync(join(at, name), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line).ledger?.eventId)
  )
}

const full = new Error("ENOSPC: no space left on device")
const fails = (): Promise<never> => Promise.reject(full)
/** Every step on the disk, failing. */
const failing: Readonly<Record<string, Disk>> = {
  "the folder cannot be made": { ...disk, mkdir: fails },
  "the file cannot be made": { ...disk, create: fails },
  "a write fails": { ...disk, create: async (path) => ({ ...await opened(path), write: fails }) },
  "the flush fails": { ...disk, create: async (path) => ({ ...await opened(path), sync: fails }) },
  "the file cannot be renamed": { ...disk, rename: fails },
  "the manifest cannot be renamed": {
    ...disk,
    rename: (from, to) => to.endsWith(".json") ? fails() : disk.rename(from, to),
  },
  "the folder cannot be flushed": { ...disk, flush: fails },
  "what is on the disk is not what was written": {
    ...disk,
    rename: async (from, to) => {
      await disk.rename(from, to)
      if (to.endsWith(".ndjson")) writeFileSync(to, "{}\n")
    },
  },
}
const opened = async (path: string) => {
  const file = await disk.create(path)
  return {
    write: file.write.bind(file) as typeof file.write,
    sync: () => file.sync(),
    close: () => file.close(),
  }
}

describe("an archiving that dies", () => {
  it.effect.each(Object.keys(failing))("lets nothing go: %s", (what) =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* grownOld
      assert.isFalse(yield* archiving(directory, failing[what]), what)
      assert.sameMembers(yield* inLedger, eventIds, "all are in the ledger")
      const files = Archives.use((archives) => archives.list({ limit: 9 }))
      assert.deepStrictEqual(yield* files, [], "none is entered")
      assert.isTrue(yield* archiving(directory))
      assert.deepStrictEqual(yield* inLedger, [])
      for (const id of eventIds) assert.include(inFiles(directory), id)
    }).pipe(Effect.provide(ports().layer), Effect.scoped))

  it.effect("between the file and the ledger, or while rows leave, is ended by the next one", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* grownOld
      const [archives, { failNext }] = [yield* Archives, yield* MemoryLedger]
      /** The process dies at the n-th of these. */
      const dying = (method: "record" | "drop" | "dropped") =>
        archiving(directory).pipe(
          Effect.provideService(Archives, Archives.of({ ...archives, [method]: () => Effect.die("killed") })),
        )
      assert.isFalse(yield* dying("record"))
      assert.sameMembers(yield* inLedger, eventIds)
      assert.isFalse(yield* dying("drop"))
      assert.sameMembers(yield* inLedger, eventIds)
      assert.strictEqual((yield* archives.list({ pending: true, limit: 9 })).length, 1)
      assert.isFalse(yield* dying("dropped"))
      assert.deepStrictEqual(yield* inLedger, [])
      const before = inFiles(directory).length
      // The answer of the last step is lost, too.
      yield* failNext(1, "before", "dropped")
      assert.isTrue(yield* Effect.raceFirst(archiving(directory), timeGoesOn))
      assert.deepStrictEqual(yield* archives.list({ pending: true, limit: 9 }), [])
      assert.strictEqual(inFiles(directory).length, before, "nothing was written once more")
      assert.strictEqual((yield* tallies()).get("invoices")?.applied, 1)
    }).pipe(Effect.provide(ports().layer), Effect.scoped))

  it.effect("and whose file was changed since, keeps the rows and says so", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* grownOld
      const archives = yield* Archives
      yield* archiving(directory).pipe(
        Effect.provideService(Archives, Archives.of({ ...archives, drop: () => Effect.die("killed") })),
      )
      const [file] = yield* archives.list({ pending: true, limit: 9 })
      const path = join(directory, "be01", "events", `${file!.name}.ndjson`)
      const text = readFileSync(path, "utf8")
      writeFileSync(path, text.replace("INV-1", "INV-2"))
      assert.isFalse(yield* archiving(directory))
      assert.sameMembers(yield* inLedger, eventIds)
      writeFileSync(path, text)
      assert.isTrue(yield* archiving(directory))
      assert.deepStrictEqual(yield* inLedger, [])
    }).pipe(Effect.provide(ports().layer), Effect.scoped))

  it.effect("keeps what became of events whose messages the stream has lost", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* grownOld
      const broker = yield* Broker
      const emptied = Broker.of({
        ...broker,
        read: (range) => Stream.filter(broker.read(range), ({ subject }) => !subject.includes("invoice")),
      })
      assert.isTrue(yield* Effect.provideService(archiving(directory), Broker, emptied))
      assert.deepStrictEqual(yield* inLedger, [])
      const listed = yield* Archives.use((archives) => archives.list({ kind: "events", limit: 9 }))
      assert.sameMembers(listed.map(({ name, rows }) => `${name.endsWith(".rows") ? "rows" : "events"} ${rows}`), [
        "events 2",
        "rows 1",
      ])
    }).pipe(Effect.provide(ports().layer), Effect.scoped))
})

/** Time passes while it waits for the ledger. */
const timeGoesOn = Effect.gen(function* () {
  while (true) {
    yield* TestClock.adjust("100 millis")
    yield* Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))
  }
})
