/**
 * How fast the ledger is on this machine: `deno run -A bench/ledger.ts`. An embedded PostgreSQL with fsync, in a
 * temporary folder. Prints events a second (medians of five) for admit and settle by batch size: one event, one mapping,
 * one reference in three; then admit and settle of several entities at once. Takes about half a minute.
 */
import { Console, Effect, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { chmodSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { EmbeddedPostgres } from "../src/embedded/Postgres.ts"
import type { Fence, Outcome } from "../src/ledger/Ledger.ts"
import { make } from "../src/ledger/PgLedger.ts"

const sizes = [1, 50, 200, 500] as const
const rounds = 5
/** Of one round, at least one batch. */
const eventsPerRound = 8_000
const roundMillis = 900
const flow = "timesheets"
const parallel = 4

let counter = 0

/** Ids as sources make them: random, so that the index is written all over. */
const outcomes = (size: number): ReadonlyArray<Outcome> =>
  Array.from({ length: size }, (): Outcome => {
    const n = ++counter
    const id = crypto.randomUUID()
    return {
      _tag: "Applied",
      event: {
        eventId: `psa#${id}`,
        type: "timesheet.approved",
        flow,
        key: `TS-${id}`,
        version: null,
        streamSequence: n,
        storedAtMillis: 1_790_000_000_000 + n,
        payloadHash: id.replaceAll("-", ""),
        correlationId: `month-end-${n % 100}`,
        attempts: 1,
      },
      mapping: {
        model: "account.analytic.line",
        id: n,
        externalId: `weir_be01.timesheets_TS-${id}`,
        version: null,
        links: {},
      },
      outbox: [],
    }
  })

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const rate = (value: number): string => Math.round(value).toLocaleString("en").padStart(9)

const main = Effect.gen(function* () {
  const dataDir = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "weir-bench-"))
      chmodSync(folder, 0o755)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
  )
  const server = yield* EmbeddedPostgres.start({ dataDir: join(dataDir, "data") })
  const ledger = yield* make({ url: Redacted.make(Redacted.value(server.url)), poolSize: parallel })

  const questions = (batch: ReadonlyArray<Outcome>) =>
    batch.map(({ event }, n) => ({
      eventId: event.eventId,
      key: event.key,
      references: n % 3 === 0 ? [{ flow: "engagements", key: `ENG-${n % 60}` }] : [],
    }))

  /** One round: batches of `size` until the events or the time are spent. Events a second of admit and of settle. */
  const round = (fence: Fence, size: number) =>
    Effect.gen(function* () {
      let [admit, settle, events] = [0, 0, 0]
      const end = performance.now() + roundMillis
      while (events < eventsPerRound && (events === 0 || performance.now() < end)) {
        const batch = outcomes(size)
        const asked = questions(batch)
        const checkpoints = new Map([[flow, counter]])
        const start = performance.now()
        yield* ledger.admit(fence, flow, asked)
        const middle = performance.now()
        yield* ledger.settle(fence, { outcomes: batch, checkpoints })
        admit += middle - start
        settle += performance.now() - middle
        events += size
      }
      return { admit: events / admit * 1000, settle: events / settle * 1000, events }
    })

  const fence = yield* ledger.claim("be01", "bench")
  yield* round(fence, 500)
  yield* Console.log("one connection        admit/s  settle/s")
  const batches: Record<number, { readonly admit: number; readonly settle: number }> = {}
  for (const size of sizes) {
    const all = yield* Effect.forEach(Array.from({ length: rounds }), () => round(fence, size))
    batches[size] = { admit: median(all.map((r) => r.admit)), settle: median(all.map((r) => r.settle)) }
    yield* Console.log(
      `  batches of ${String(size).padStart(3)} ${rate(median(all.map((r) => r.admit)))} ${
        rate(median(all.map((r) => r.settle)))
      }`,
    )
  }
  const fences = yield* Effect.forEach(Array.from({ length: parallel }), (_, n) => ledger.claim(`be1${n}`, "bench"))
  const overall = yield* Effect.forEach(Array.from({ length: rounds }), () =>
    Effect.gen(function* () {
      const start = performance.now()
      const all = yield* Effect.forEach(fences, (own) => round(own, 500), { concurrency: parallel })
      return all.reduce((sum, r) => sum + r.events, 0) / (performance.now() - start) * 1000
    }))
  yield* Console.log(
    `${parallel} entities at once, batches of 500, admit and settle: ${rate(median(overall))} events/s`,
  )
  yield* Console.log(JSON.stringify({ batches, parallel, eventsPerSecond: median(overall) }))
})

await Effect.runPromise(Effect.scoped(main))
process.exit(0)
