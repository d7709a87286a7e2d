/**
 * How fast lists of exceptions are when there are many: `deno run -A bench/exceptions.ts [--rows 1000000]`. An embedded
 * PostgreSQL in a temporary folder, exceptions of 20 entities, 8 flows, 6 codes and 300 causes, the commonest of which has
 * a third of them. Prints the median and slowest of each question over the port, and how many rows of the table it read:
 * a question that reads the whole table says so and fails the run, and so does one above `--most` milliseconds (100).
 */
import { Console, Effect, Redacted } from "effect"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { EmbeddedPostgres } from "../src/embedded/Postgres.ts"
import { Desk, type ExceptionFilter, type ExceptionPlace } from "../src/ledger/Desk.ts"
import * as PgLedger from "../src/ledger/PgLedger.ts"
import * as PgPorts from "../src/ledger/PgPorts.ts"
import { both, format, median, option } from "./table.ts"

const ROUNDS = 15
const LIMIT = 50

/** Rows as parking leaves them. Without the triggers, which count one by one: the counters are filled afterwards. */
const fill = (rows: number): ReadonlyArray<string> => [
  `set session_replication_role = replica`,
  `insert into weir.held (entity, event_id, flow, key, type, version, stream_sequence, stored_at_millis, state, code,
     detail, wait_flow, wait_key, attempts, held_since_millis, subject, headers, data, fingerprint, parked_at_millis, assignee)
   select 'e' || lpad((n % 20)::text, 2, '0'), 'source#' || n, f.flow, 'K-' || n % ${
    Math.max(1, rows >> 2)
  }, f.flow || '.made',
     null, n, 1790000000000 + n, case when n % 10 = 0 then 'waiting' else 'parked' end, f.code, 'cause ' || f.cause,
     case when n % 10 = 0 then 'customers' end, case when n % 10 = 0 then 'C-' || n end, 1, 1790000000000 + n * 7,
     'erp.x', '{}', '\\x7b7d', case when n % 10 = 0 then null else lpad(f.cause::text, 16, '0') end, 1790000000000 + n * 7,
     case when n % 1000 = 1 then 'ada' end
   from generate_series(1, ${rows}) as n cross join lateral (
     select (array['invoices', 'payments', 'timesheets', 'customers', 'engagements', 'expenses', 'usage', 'rates'])[1 + n % 8]
         as flow,
       case when n % 10 = 0 then 'REFERENCE-MISSING' else
         (array['ODOO-VALIDATION', 'TAX-MISMATCH', 'EVENT-INVALID', 'EVENT-CHANGED', 'MAPPING-MISSING', 'ODOO-ACCESS'])[1 + n % 6]
       end as code,
       case when n % 3 = 0 then 0 else n % 300 end as cause
   ) as f`,
  `insert into weir.exception_group (entity, flow, code, fingerprint, cause, n)
   select entity, flow, code, fingerprint, min(detail), count(*) from weir.held where state = 'parked'
   group by entity, flow, code, fingerprint`,
  `set session_replication_role = origin`,
  `analyze weir.held`,
  `analyze weir.exception_group`,
]

const parked: ExceptionFilter = { state: "parked", entities: null }
const questions: Readonly<Record<string, ExceptionFilter>> = {
  "all": parked,
  "one entity": { ...parked, entities: ["e07"] },
  "three entities": { ...parked, entities: ["e01", "e07", "e13"] },
  "one flow": { ...parked, flow: "invoices" },
  "one code": { ...parked, codes: ["TAX-MISMATCH"] },
  "entity, flow and code": { ...parked, entities: ["e07"], flow: "customers", codes: ["EVENT-CHANGED"] },
  "one cause": { ...parked, fingerprint: "0000000000000017" },
  "the commonest cause": { ...parked, fingerprint: "0000000000000000" },
  "one key": { ...parked, key: "K-1234" },
  "one assignee": { ...parked, assignee: "ada" },
  "what waits": { ...parked, state: "waiting" },
}

interface Read {
  /** Scans of the whole table. */
  readonly whole: number
  readonly rows: number
}

const main = Effect.gen(function* () {
  const rows = option(process.argv, "rows", 50_000)
  const most = option(process.argv, "most", 100)
  const dataDir = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "weir-bench-"))
      chmodSync(folder, 0o755)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
  )
  const server = yield* EmbeddedPostgres.start({ dataDir: join(dataDir, "data"), durable: false })
  const url = Redacted.make(Redacted.value(server.url))
  const sql = yield* PgLedger.open({ url, poolSize: 1 })
  const desk = yield* Effect.provide(Desk, PgPorts.fromClient(sql))
  const begun = performance.now()
  for (const statement of fill(rows)) yield* sql.unsafe(statement)
  yield* Console.log(`${format(rows)} held events in ${format((performance.now() - begun) / 1_000, 1)} s`)

  const read = Effect.gen(function* () {
    yield* sql`select pg_stat_force_next_flush()`
    const [row] = yield* sql<{ readonly whole: string; readonly rows: string }>`
      select (seq_scan)::text as whole, (coalesce(idx_tup_fetch, 0) + seq_tup_read)::text as rows
      from pg_stat_user_tables where schemaname = 'weir' and relname = 'held'`
    return { whole: Number(row?.whole), rows: Number(row?.rows) } satisfies Read
  })
  const shown: Array<ReadonlyArray<string>> = [["a page of 50", "median ms", "slowest", "rows read", ""]]
  let failed = 0
  const measure = <E>(name: string, ask: Effect.Effect<unknown, E>) =>
    Effect.gen(function* () {
      const times: Array<number> = []
      yield* ask
      const before = yield* read
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now()
        yield* ask
        times.push(performance.now() - start)
      }
      const after = yield* read
      const whole = after.whole > before.whole
      const slow = median(times) > most
      if (whole || slow) failed++
      shown.push([
        name,
        format(median(times), 1),
        format(Math.max(...times), 1),
        format((after.rows - before.rows) / ROUNDS),
        whole ? "READS THE WHOLE TABLE" : slow ? "TOO SLOW" : "",
      ])
    })

  for (const [name, filter] of Object.entries(questions)) {
    yield* measure(name, desk.list(filter, { after: null, limit: LIMIT }))
  }
  // Far down the list a page costs what the first one does.
  const after: ExceptionPlace = {
    heldSinceMillis: 1_790_000_000_000 + (rows >> 1) * 7,
    entity: "e05",
    eventId: "source#1",
  }
  yield* measure("all, from the middle on", desk.list(parked, { after, limit: LIMIT }))
  yield* measure("one flow, from the middle on", desk.list({ ...parked, flow: "invoices" }, { after, limit: LIMIT }))
  yield* measure("groups, the largest 50", desk.groups({ entities: null }, LIMIT))
  yield* measure("one exception", desk.file("e01", "source#1"))
  yield* Console.log(both(shown))
  return failed === 0
})

process.exitCode = await Effect.runPromise(Effect.scoped(main)) ? 0 : 1
