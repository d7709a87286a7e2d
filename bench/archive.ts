/**
 * How long it takes until a month has left the ledger, and what others feel of it: `deno run -A bench/archive.ts
 * [--events 100000]`. An embedded PostgreSQL with fsync in a temporary folder, the events as messages in memory; they are
 * written to files, read back and dropped, by the code that the service runs. Meanwhile, and before for five seconds, the
 * same entity and another one admit and settle one event after the other. Prints what that took (p50, p99, slowest), which
 * locks were held on tables by what archived, and how large table and remembrance are. Fails when a row is lost.
 */
import "../src/cli/plainFibers.ts"

import { Clock, Console, Duration, Effect, Fiber, Redacted, Stream } from "effect"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { makeDecoder } from "../src/actor/decode.ts"
import { archive } from "../src/archive/archive.ts"
import { make as makeVault, Vault } from "../src/archive/Vault.ts"
import { Broker } from "../src/broker/Broker.ts"
import * as MemoryBroker from "../src/broker/MemoryBroker.ts"
import { EmbeddedPostgres } from "../src/embedded/Postgres.ts"
import { Archives } from "../src/ledger/Archives.ts"
import { type EventRecord, type Fence, Ledger, type Outcome } from "../src/ledger/Ledger.ts"
import * as PgLedger from "../src/ledger/PgLedger.ts"
import * as PgPorts from "../src/ledger/PgPorts.ts"
import { Runs } from "../src/ledger/Runs.ts"
import { catalog } from "../streams/catalog.ts"
import { timesheets } from "../streams/timesheets.ts"
import { publication } from "../test/simulation/World.ts"
import { timesheet } from "../test/streams/samples.ts"
import { format, option, percentile, table } from "./table.ts"

const ENTITY = "be01"
const BATCH = 500
const IDLE_MILLIS = 5_000
const OLD_MILLIS = Duration.toMillis("200 days")

const appliedOf = (event: EventRecord, id: number): Outcome => ({
  _tag: "Applied",
  event,
  mapping: { model: "account.analytic.line", id, externalId: `weir_${event.key}`, version: null, links: {} },
  outbox: [],
})

let fresh = 1_000_000_000

/** One event after the other until it is interrupted; what each took goes to `took`. */
const traffic = (ledger: typeof Ledger.Service, fence: Fence, took: () => Array<number>) =>
  Effect.forever(Effect.gen(function* () {
    const n = ++fresh
    const id = crypto.randomUUID()
    const key = `TS-${id}`
    const start = performance.now()
    yield* ledger.admit(fence, "timesheets", [{ eventId: `psa#${id}`, key, references: [] }])
    const event: EventRecord = {
      eventId: `psa#${id}`,
      type: "timesheet.approved",
      flow: "timesheets",
      key,
      version: null,
      streamSequence: n,
      storedAtMillis: Date.now(),
      payloadHash: id.replaceAll("-", ""),
      correlationId: null,
      attempts: 1,
    }
    yield* ledger.settle(fence, { outcomes: [appliedOf(event, n)], checkpoints: new Map() })
    took().push(performance.now() - start)
    yield* Effect.sleep("2 millis")
  }))

const main = Effect.gen(function* () {
  const count = option(process.argv, "events", 100_000)
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const path = mkdtempSync(join(tmpdir(), "weir-bench-"))
      chmodSync(path, 0o755)
      return path
    }),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
  )
  const server = yield* EmbeddedPostgres.start({ dataDir: join(folder, "data") })
  const url = Redacted.make(Redacted.value(server.url))
  const sql = yield* PgLedger.open({ url, poolSize: 6 })
  const watcher = yield* PgLedger.connect({ url, poolSize: 1, applicationName: "watcher" })
  const ports = PgPorts.fromClient(sql)
  const [ledger, runs, archives] = yield* Effect.all([Ledger, Runs, Archives]).pipe(Effect.provide(ports))

  // Messages of a month that lies back, and their events, settled.
  const broker = yield* Effect.provide(Broker, MemoryBroker.layer())
  yield* broker.provision
  const old = Broker.of({
    ...broker,
    read: (range) =>
      Stream.map(broker.read({ ...range, fromMillis: 0 }), (message) => ({
        ...message,
        storedAtMillis: message.storedAtMillis - OLD_MILLIS,
      })),
  })
  const decoder = makeDecoder(timesheets)
  for (let from = 0; from < count; from += BATCH) {
    yield* broker.publish(
      Array.from(
        { length: Math.min(BATCH, count - from) },
        (_, n) => publication("timesheet.approved", { ...timesheet, key: `TS-${from + n}` }),
      ),
    )
  }
  const fence = yield* ledger.claim(ENTITY, "bench")
  const other = yield* ledger.claim("uk01", "bench")
  yield* old.read({ subject: `erp.${ENTITY}.>`, fromSequence: 1 }).pipe(
    Stream.grouped(BATCH),
    Stream.runForEach((messages) =>
      ledger.settle(fence, {
        outcomes: messages.map((message) => appliedOf(decoder.stored(message).event, message.streamSequence)),
        checkpoints: new Map([["timesheets", messages.at(-1)!.streamSequence]]),
      })
    ),
  )
  yield* sql`update weir.event set settled_at_millis = stored_at_millis`
  yield* sql`vacuum (analyze) weir.event`
  const size = (name: string) =>
    Effect.map(
      sql<{ readonly n: number }>`select pg_total_relation_size(${`weir.${name}`}::text::regclass)::float8 as n`,
      ([row]) => row!.n / 1_048_576,
    )
  const before = yield* size("event")

  const figures: Record<"idle" | "archiving", Record<"same" | "other", Array<number>>> = {
    idle: { same: [], other: [] },
    archiving: { same: [], other: [] },
  }
  let phase: keyof typeof figures = "idle"
  const same = yield* Effect.forkScoped(traffic(ledger, fence, () => figures[phase].same))
  const others = yield* Effect.forkScoped(traffic(ledger, other, () => figures[phase].other))
  yield* Effect.sleep(IDLE_MILLIS)

  const locks = new Set<string>()
  const watching = yield* Effect.forkScoped(Effect.forever(Effect.gen(function* () {
    const held = yield* watcher<{ readonly name: string; readonly mode: string }>`
      select distinct c.relname as name, l.mode from pg_locks l join pg_class c on c.oid = l.relation
      join pg_stat_activity a on a.pid = l.pid
      where c.relnamespace = 'weir'::regnamespace and c.relkind = 'r' and l.locktype = 'relation' and a.query like '%drop_%'`
    for (const { mode, name } of held) locks.add(`${name} ${mode}`)
    yield* Effect.sleep("10 millis")
  })))
  phase = "archiving"
  const start = performance.now()
  const run = { entity: ENTITY, runId: "bench", kind: "archive", state: "examining" } as const
  yield* runs.open({ ...run, request: { apply: true }, requestedBy: "bench", reason: "bench" })
  const keep = Duration.days(62)
  const retention = { events: keep, exceptions: keep, audit: keep, runs: keep, unproven: "archive", hour: 0 } as const
  const directory = join(folder, "archive")
  yield* archive((yield* runs.run(ENTITY, "bench"))!, { ...retention, directory }, catalog).pipe(
    Effect.provideService(Vault, makeVault(directory)),
    Effect.provideService(Broker, old),
    Effect.provide(ports),
  )
  const seconds = (performance.now() - start) / 1_000
  yield* Fiber.interrupt(watching)
  yield* Fiber.interrupt(same)
  yield* Fiber.interrupt(others)
  const files = yield* archives.list({ entity: ENTITY, kind: "events", limit: 100 })
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const [left] = yield* sql<{ readonly n: number }>`
    select count(*)::int as n from weir.event
    where entity = ${ENTITY} and stored_at_millis < ${
    String((yield* Clock.currentTimeMillis) - OLD_MILLIS / 2)
  }::text::bigint`
  const [known] = yield* sql<{ readonly n: number }>`select count(*)::int as n from weir.remembered`

  yield* Console.log(
    `${count} settled events written, read back and dropped in ${format(seconds, 1)} s: ` +
      `${format(count / seconds)} a second, ${format(bytes / 1_048_576)} MiB in ${files.length} file`,
  )
  yield* Console.log(
    `weir.event before ${format(before)} MiB; weir.remembered after ${format(yield* size("remembered"))} MiB`,
  )
  yield* Console.log(`locks on tables of what archives: ${[...locks].toSorted().join(", ")}`)
  yield* Console.log(table([
    ["admit and settle one event, ms", "p50", "p99", "slowest", "times"],
    ...(["idle", "archiving"] as const).flatMap((when) =>
      (["same", "other"] as const).map((whose) => {
        const took = figures[when][whose]
        return [
          `${when}, ${whose === "same" ? "the same entity" : "another entity"}`,
          format(percentile(took, 0.5), 1),
          format(percentile(took, 0.99), 1),
          format(percentile(took, 1), 1),
          String(took.length),
        ]
      })
    ),
  ]))
  if (rows !== count || known?.n !== count || left?.n !== 0) {
    yield* Console.error(`lost: ${rows} in files, ${known?.n} remembered, ${left?.n} left in the ledger of ${count}`)
    process.exitCode = 1
  }
})

await Effect.runPromise(Effect.scoped(main))
