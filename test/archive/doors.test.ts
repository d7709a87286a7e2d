/** Archives through both doors: what may leave, what has left, what can be read of it, and that nothing is lost by it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { makeLineReader } from "../../src/cli/eventLine.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { Access } from "../../src/ledger/Access.ts"
import { catalog } from "../../streams/catalog.ts"
import { configuration as withoutRetention, inspect, request, type Said, tokenFor, weir } from "../operate/Office.ts"
import { pass, ports, publish, tallies } from "../simulation/World.ts"
import { configuration, eventIds, events, february, folder, grownOld, service } from "./World.ts"

/** Time passes while a command waits for the service. */
const meanwhile = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    self,
    Effect.forever(Effect.andThen(
      TestClock.adjust("100 millis"),
      Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 2))),
    )),
  )
const lastOf = ({ stdout }: Said) => JSON.parse(stdout.split("\n").at(-1) ?? "")
/** All that stands in Odoo. */
const booksOf = ({ store }: StandIn) =>
  JSON.stringify(
    [...store.tables].map(([model, { rows }]) => [model, [...rows]]),
    (_, value: unknown) => typeof value === "bigint" ? String(value) : value,
  )
const reason = ["--reason", "the year is audited"]
const archived = (...more: ReadonlyArray<string>) => meanwhile(weir(["archive", "run", "be01", ...more, ...reason]))
const kindsOf = (said: Said) => lastOf(said).kinds

const eventsKnown = Effect.map(inspect, (entities) => entities.find(({ entity }) => entity === "be01")!.events.length)
/** Some records on the trail that are as old as the events. */
const recorded = Access.use((access) =>
  Effect.forEach(
    [1, 2, 3],
    (n) => access.record("be01", { id: `old-${n}`, actor: "ada", action: "operation.allowed", detail: { n } }),
  )
)

describe("archives", () => {
  it.effect(
    "are written once a month is proven, replay reads them, and an event that comes again is a duplicate",
    () => {
      const world = ports()
      return Effect.gen(function* () {
        const directory = yield* folder
        yield* grownOld
        const stored = yield* Stream.runCollect(
          (yield* Broker).read({ subject: "erp.be01.>", fromSequence: 1 }),
        )
        const books = booksOf(world.standIn)
        yield* Effect.gen(function* () {
          const looked = yield* archived("--json")
          assert.strictEqual(looked.code, 0, looked.message)
          assert.deepStrictEqual(kindsOf(looked).events, { due: 3, unproven: 3, files: 0, written: 0, dropped: 0 })
          assert.deepStrictEqual(lastOf(looked).unproven, ["2026-10"])
          yield* archived("--apply")
          assert.strictEqual(yield* eventsKnown, 3, "nobody has proven October")

          const proof = ["reconcile", "--entity", "be01", "--period", "2026-10"]
          assert.strictEqual((yield* meanwhile(weir(proof))).code, 0)
          assert.strictEqual(kindsOf(yield* archived("--json")).events.unproven, 0)
          assert.strictEqual(yield* eventsKnown, 3, "a dry run lets nothing go")
          const applied = yield* archived("--apply", "--json")
          assert.deepStrictEqual(kindsOf(applied).events, { due: 3, unproven: 0, files: 1, written: 3, dropped: 3 })
          assert.strictEqual(yield* eventsKnown, 0)
          assert.deepStrictEqual(
            kindsOf(yield* archived("--apply", "--json")).events,
            { due: 0, unproven: 0, files: 0, written: 0, dropped: 0 },
            "twice is once",
          )

          const listed = lastOf(yield* weir(["archive", "list", "--kind", "events", "--json"])).items
          assert.deepStrictEqual(listed.map(({ rows }: { rows: number }) => rows), [3])
          assert.isNotNull(listed[0].droppedAtMillis)
          const file = join(directory, "be01", "events", `${listed[0].name}.ndjson`)
          assert.strictEqual(statSync(file).mode & 0o777, 0o600, "it holds payloads")
          const lines = readFileSync(file, "utf8").trimEnd().split("\n")
          assert.deepStrictEqual(lines.map((line) => JSON.parse(line).ledger.eventId), eventIds)
          const manifest = JSON.parse(readFileSync(file.replace(".ndjson", ".json"), "utf8"))
          assert.deepStrictEqual([manifest.rows, manifest.sha256], [3, listed[0].sha256])

          // As publishers and replays read it: byte for byte what came.
          const read = makeLineReader({ entity: null, entities: new Set(), flows: catalog, unchecked: false })
          const made = lines.map((line) => Result.getOrThrow(read(line)).publication)
          assert.deepStrictEqual(
            made.map(({ data, headers, subject }) => ({ data: Buffer.from(data).toString(), headers, subject })),
            stored.map(({ data, headers, subject }) => ({ data: Buffer.from(data).toString(), headers, subject })),
          )
          const replayed = yield* meanwhile(weir(["replay", "erp.be01.>", "--file", file, ...reason, "--json"]))
          assert.strictEqual(replayed.code, 0, replayed.message)
          const totals = Object.values(lastOf(replayed).parts[0].findings) as ReadonlyArray<Record<string, number>>
          assert.deepStrictEqual(totals.map(({ there }) => there), [1, 1, 1], JSON.stringify(totals))

          // Its publisher sends all of it again, long after.
          const before = yield* tallies()
          yield* publish(...events.map((event) => ({ ...event, messageId: `${event.messageId}-again` })))
          yield* pass(10)
          for (const [flow, { applied, parked }] of yield* tallies()) {
            assert.deepStrictEqual([applied, parked], [before.get(flow)!.applied, 0], flow)
          }
          assert.strictEqual((yield* tallies()).get("invoices")!.duplicate, 1)
          assert.strictEqual(booksOf(world.standIn), books, "Odoo is as it was")
          assert.strictEqual((yield* meanwhile(weir(proof))).code, 0, "October is still proven from what is remembered")
        }).pipe(Effect.provide(service(configuration(directory))), Effect.scoped)
      }).pipe(Effect.provide(world.layer), Effect.scoped)
    },
    60_000,
  )

  it.effect(
    "carry the audit trail on: a record that is changed in a file or in the ledger is found",
    () =>
      TestClock.setTime(Date.UTC(2026, 9, 16)).pipe(
        Effect.andThen(recorded),
        Effect.andThen(TestClock.setTime(february)),
        Effect.andThen(Effect.gen(function* () {
          const directory = yield* folder
          yield* Effect.gen(function* () {
            const admin = yield* tokenFor("root", ["admin"])
            const [viewer, other] = [yield* tokenFor("vic", ["viewer"]), yield* tokenFor("bob", ["admin"], ["uk01"])]
            const at = "/v1/entities/be01/archivings"
            const order = { apply: true, reason: "x" }
            assert.strictEqual((yield* request(at, { body: order, token: viewer })).status, 403)
            assert.strictEqual((yield* request(at, { body: order, token: other })).status, 403)
            const started = yield* request(at, { body: order, token: admin })
            assert.strictEqual(started.status, 202, JSON.stringify(started.body))
            const look = Effect.map(request(`${at}/${started.body.runId}`, { token: viewer }), ({ body }) => body)
            const done = yield* meanwhile(Effect.repeat(look, { until: ({ state }) => state !== "examining" }))
            assert.strictEqual(done.state, "done", done.trouble)
            assert.isAtLeast(done.kinds.audit.dropped, 3)
            assert.strictEqual((yield* request(`${at}/nobodys`)).status, 404)
            assert.deepStrictEqual((yield* request("/v1/archives", { token: other })).body.items, [], "another's")

            const plain = lastOf(yield* weir(["audit", "verify", "be01", "--json"]))
            const whole = lastOf(yield* weir(["audit", "verify", "be01", "--archive", "--json"]))
            assert.deepStrictEqual(
              [whole.broken, whole.archived, whole.records],
              [null, done.kinds.audit.dropped, plain.records],
            )
            assert.strictEqual(whole.lastHash, plain.lastHash)
            const good = yield* weir(["archive", "verify", "be01"])
            assert.strictEqual(good.code, 0, good.message)

            const trail = join(directory, "be01", "audit")
            const file = join(trail, readdirSync(trail).find((name) => name.endsWith(".ndjson"))!)
            const text = readFileSync(file, "utf8")
            const verified = Effect.map(weir(["audit", "verify", "be01", "--archive", "--json"]), (said) => ({
              code: said.code,
              broken: lastOf(said).broken,
            }))
            const position = text.trimEnd().split("\n").findIndex((line) => line.includes("old-2")) + 1
            writeFileSync(file, text.replace(`{\\"n\\":2}`, `{\\"n\\":7}`))
            assert.deepStrictEqual(yield* verified, { code: 3, broken: position })
            const damaged = yield* weir(["archive", "verify", "be01"])
            assert.strictEqual(damaged.code, 3)
            assert.include(damaged.stdout, "be01/audit/")
            const lines = text.trimEnd().split("\n")
            writeFileSync(file, `${lines.slice(0, -1).join("\n")}\n`)
            assert.deepStrictEqual(yield* verified, { code: 3, broken: lines.length }, "its last record is cut off")
            writeFileSync(file, text)
            assert.strictEqual((yield* verified).code, 0)
          }).pipe(Effect.provide(service(configuration(directory))), Effect.scoped)
        })),
        Effect.provide(ports().layer),
        Effect.scoped,
      ),
    60_000,
  )

  it.effect("are refused where none is configured", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(february)
      yield* Effect.gen(function* () {
        const refused = yield* weir(["archive", "run", "be01", ...reason])
        assert.strictEqual(refused.code, 2)
        assert.include(refused.message, "add retention")
        assert.strictEqual((yield* weir(["audit", "verify", "be01", "--archive"])).code, 2)
      }).pipe(
        Effect.provide(service(withoutRetention)),
        Effect.scoped,
      )
    }).pipe(Effect.provide(ports().layer), Effect.scoped))
})
