import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, Result } from "effect"
import type { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { createServer } from "node:net"
import process from "node:process"
import { realSleep } from "../../src/embedded/PostgresProcess.ts"
import { verifyAudit } from "../../src/ledger/Governance.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { make as makeMemory } from "../../src/ledger/MemoryLedger.ts"
import { connect, fromClient, make, open } from "../../src/ledger/PgLedger.ts"
import { causeOf, fingerprintOf } from "../../src/ledger/cause.ts"
import * as PgDesk from "../../src/ledger/PgDesk.ts"
import * as PgPorts from "../../src/ledger/PgPorts.ts"
import { accessSuite } from "./Access.suite.ts"
import { archivesSuite } from "./Archives.suite.ts"
import { deskSuite } from "./Desk.suite.ts"
import { freshEntity, ledgerSuite } from "./Ledger.suite.ts"
import { reasons } from "../../src/reason/Reason.ts"
import { applied, behind, generator, parked, settlement, waiting } from "./outcomes.ts"
import { recallSuite } from "./Recall.suite.ts"
import { recorded } from "./recorded.ts"
import { runsSuite } from "./Runs.suite.ts"
import { everything, randomWork, seedsOf } from "./random.ts"
import { connection, emptyDatabase, Server, urlWith } from "./server.ts"

const ledger = Layer.effect(
  Ledger,
  Effect.flatMap(Server, ({ url }) => Effect.map(recorded(open({ url, poolSize: 6 })), (sql) => fromClient(sql))),
)

ledgerSuite("PostgreSQL", ledger.pipe(Layer.provide(Server.layer)))
const ports = Layer.effectContext(
  Effect.flatMap(
    Server,
    ({ url }) => Effect.map(recorded(open({ url, poolSize: 6 })), (sql) => PgPorts.fromClient(sql)),
  ),
).pipe(Layer.provide(Server.layer))
accessSuite("PostgreSQL", ports)
recallSuite("PostgreSQL", ports)
runsSuite("PostgreSQL", ports)
deskSuite("PostgreSQL", ports)
archivesSuite("PostgreSQL", ports)

layer(Layer.provideMerge(ledger, Server.layer), { timeout: "60 seconds" })("PgLedger", (it) => {
  it.effect.each(seedsOf(process.env["WEIR_SEED"]))(
    "does what memory does, and counts what is there, seed %i",
    (seed) =>
      Effect.gen(function* () {
        const real = yield* Ledger
        const model = (yield* makeMemory).ledger
        const entity = freshEntity()
        const fence = yield* real.claim(entity, "here")
        yield* model.claim(entity, "here")
        for (const [n, step] of randomWork(seed, 250).entries()) {
          const answers = [yield* step(real, fence), yield* step(model, fence)]
          assert.deepStrictEqual(answers[0], answers[1], `seed ${seed}, step ${n}`)
        }
        assert.deepStrictEqual(yield* everything(real, fence), yield* everything(model, fence), `seed ${seed}`)
        const sql = yield* connection((yield* Server).url)
        const counted = yield* sql<{ readonly flow: string; readonly state: string; readonly n: number }>`
        select e.flow, coalesce(h.state, e.state) as state, count(*)::int as n
        from weir.event e left join weir.held h using (entity, event_id) where e.entity = ${entity} group by 1, 2`
        for (const tally of yield* real.tallies(entity)) {
          for (const name of ["applied", "superseded", "waiting", "parked", "behind", "ready"] as const) {
            const n = counted.find((row) => row.flow === tally.flow && row.state === name)?.n ?? 0
            assert.strictEqual(tally[name], n, `seed ${seed}, ${tally.flow} ${name}`)
          }
        }
      }),
  )

  it.effect.each(seedsOf(process.env["WEIR_SEED"]))(
    "tells of exceptions what memory tells, their groups and their history, seed %i",
    (seed) =>
      Effect.gen(function* () {
        const { desk: model, ledger: modelled } = yield* makeMemory
        const sql = yield* connection((yield* Server).url)
        const [real, desk] = [fromClient(sql), PgDesk.fromClient(sql)]
        const entity = freshEntity()
        const fence = yield* real.claim(entity, "here")
        yield* modelled.claim(entity, "here")
        for (const step of randomWork(seed + 1, 200)) {
          yield* step(real, fence)
          yield* step(modelled, fence)
        }
        const tell = (from: typeof model) =>
          Effect.gen(function* () {
            const histories = yield* Effect.forEach(Array.from({ length: 60 }, (_, n) => `e${n + 1}`), (id) =>
              Effect.map(
                from.history(entity, id, 1_000),
                (rows) => rows.map(({ atMillis: _, position: __, ...row }) => row),
              ))
            const list = yield* from.list({ state: "parked", entities: [entity] }, { after: null, limit: 500 })
            return { histories, list, groups: yield* from.groups({ entities: [entity] }, 500) }
          })
        const told = yield* tell(desk)
        assert.deepStrictEqual(told, yield* tell(model), `seed ${seed}`)
        assert.isAbove(told.histories.flat().length, 20, "the work did something")
      }),
  )

  it.effect("names causes as the program does", () =>
    Effect.gen(function* () {
      const sql = yield* connection((yield* Server).url)
      const { int, pick } = generator(20_261_122)
      const parts = [
        '"',
        "'",
        "it's",
        " ",
        "\n",
        "a@b.example",
        "INV-00123",
        "12.50",
        "Zoë",
        "😀",
        "(",
        ",",
        "x",
        "é1",
        ";",
      ] as const
      const random = Array.from({ length: 400 }, () => Array.from({ length: int(30) }, () => pick(parts)).join(""))
      const texts = [
        ...Object.values(reasons).map(({ example }) => example),
        "x9".repeat(600),
        "😀".repeat(1_200),
        ...random,
      ]
      for (const detail of texts) {
        const [row] = yield* sql<{ readonly cause: string; readonly fingerprint: string }>`
          select weir.cause(${detail}) as cause, weir.fingerprint('EVENT-INVALID', ${detail}) as fingerprint`
        assert.deepStrictEqual(
          [row?.cause, row?.fingerprint],
          [causeOf(detail), fingerprintOf("EVENT-INVALID", detail)],
          JSON.stringify(detail),
        )
      }
    }))

  it.effect("lets nobody rewrite what happened to an exception", () =>
    Effect.gen(function* () {
      const sql = yield* connection((yield* Server).url)
      const real = fromClient(sql)
      const fence = yield* real.claim(freshEntity(), "here")
      yield* real.settle(fence, settlement([parked("e1")]))
      for (
        const change of [
          sql`update weir.history set actor = 'mallory'`,
          sql`delete from weir.history`,
          sql`truncate weir.history`,
        ]
      ) assert.isTrue(Result.isFailure(yield* Effect.result(change)))
      assert.strictEqual((yield* PgDesk.fromClient(sql).history(fence.entity, "e1", 10)).length, 1)
    }))

  it.effect("lets a claim wait for the settlement that is running", () =>
    Effect.gen(function* () {
      const server = yield* Server
      const real = yield* Ledger
      const fence = yield* real.claim(freshEntity(), "here")
      const slow = yield* connection(server.url)
      const watch = yield* connection(server.url)
      const waits = watch`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%weir.lease%'`
      const claim = yield* slow.withTransaction(Effect.gen(function* () {
        // The settlement has run, its transaction has not ended.
        yield* fromClient(slow).settle(fence, settlement([applied("e1")], { customers: 1 }))
        const fiber = yield* Effect.forkChild(real.claim(fence.entity, "there"))
        const seen = yield* Effect.andThen(realSleep(20), waits).pipe(
          Effect.repeat({ until: (rows) => rows.length > 0, times: 200 }),
        )
        assert.strictEqual(seen.length, 1, "the claim waits")
        return fiber
      }))
      assert.deepStrictEqual((yield* Fiber.join(claim)).checkpoints, new Map([["customers", 1]]))
      assert.strictEqual((yield* Effect.flip(real.settle(fence, settlement([applied("e2")])))).reason, "Fenced")
    }))

  it.effect("reads a few rows per event, however small the tables were when it planned", () =>
    Effect.gen(function* () {
      const server = yield* Server
      const real = yield* Effect.map(connection(server.url), fromClient)
      const fence = yield* real.claim(freshEntity(), "here")
      const sql = yield* connection(server.url)
      const reads = Effect.map(
        sql<{ readonly n: number }>`select sum(seq_tup_read + idx_tup_fetch)::int as n from pg_stat_user_tables
          where schemaname = 'weir' and relname in ('event', 'mapping', 'held')`,
        ([row]) => row?.n ?? 0,
      )
      let next = 1
      const work = (size: number) =>
        Effect.gen(function* () {
          const ids = Array.from({ length: size * 4 }, () => `e${next++}`)
          const on = (id: string) => ({ flow: "engagements", key: `W-${id}` })
          const outcomes = ids.map((id, n) =>
            [
              applied(id, { key: id }),
              waiting(id, on(id), { key: id }),
              parked(id, { key: `L${n >> 2}` }),
              behind(id, { key: `L${n >> 2}` }),
            ][n % 4] ?? applied(id)
          )
          yield* real.admit(fence, "customers", ids.map((id) => ({ eventId: id, key: id, references: [on(id)] })))
          yield* real.settle(fence, settlement(outcomes))
          const woken = ids.filter((_, n) => n % 4 === 1)
          yield* real.settle(fence, settlement(woken.slice(1).map((id) => applied(`a-${id}`, on(id)))))
          yield* real.settle(fence, settlement(woken.slice(2).map((id) => applied(id, { key: id }))))
          yield* real.retry(fence.entity, ids.filter((_, n) => n % 8 === 2))
          yield* real.dismiss(fence.entity, ids.filter((_, n) => n % 8 === 6), "test")
        })
      // The other session tells its statistics at most once a second, when it ends a statement.
      const told = Effect.andThen(realSleep(1_100), work(1))
      for (let n = 0; n < 8; n++) yield* work(1)
      yield* told
      const before = yield* reads
      const batches = 6
      for (let n = 0; n < batches; n++) yield* work(100)
      yield* told
      const perEvent = ((yield* reads) - before) / (batches * 400)
      assert.isAbove(perEvent, 1, "the statistics have arrived")
      assert.isBelow(perEvent, 20)
    }))

  it.effect("is Unavailable while PostgreSQL is away, and make leaves the caller to try again", () =>
    Effect.gen(function* () {
      const port = yield* Effect.callback<number>((resume) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
          const address = server.address()
          const free = typeof address === "object" && address !== null ? address.port : 0
          server.close(() => resume(Effect.succeed(free)))
        })
      })
      const url = Redacted.make(`postgres://postgres:x@127.0.0.1:${port}/weir`)
      const error = yield* Effect.flip(make({ url }))
      assert.deepStrictEqual([error.reason, error.isRetryable], ["Unavailable", true])
      const later = yield* Effect.map(connect({ url }), fromClient)
      assert.strictEqual((yield* Effect.flip(later.tallies())).reason, "Unavailable")
    }))

  it.effect("is Unavailable when the connection is terminated, and goes on with the next one", () =>
    Effect.gen(function* () {
      const server = yield* Server
      const real = yield* make({ url: server.url, poolSize: 1, applicationName: "victim" })
      const fence = yield* real.claim(freshEntity(), "here")
      const sql = yield* connection(server.url)
      const blocker = yield* connection(server.url)
      const error = yield* blocker.withTransaction(Effect.gen(function* () {
        yield* blocker`select from weir.lease where entity = ${fence.entity} for update`
        const settle = yield* Effect.forkChild(Effect.flip(real.settle(fence, settlement([parked("e1")]))))
        yield* Effect.andThen(
          realSleep(20),
          sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'victim' and wait_event_type = 'Lock'`,
        ).pipe(
          Effect.repeat({ until: (rows) => rows.length > 0, times: 200 }),
        )
        return yield* Fiber.join(settle)
      }))
      assert.strictEqual(error.reason, "Unavailable")
      yield* real.settle(fence, settlement([parked("e1")]))
      assert.strictEqual((yield* real.tallies(fence.entity))[0]?.parked, 1)
    }))

  it.effect("gives up on a statement after its time", () =>
    Effect.gen(function* () {
      const server = yield* Server
      const real = yield* make({ url: server.url, statementTimeout: "200 millis" })
      const fence = yield* real.claim(freshEntity(), "here")
      const blocker = yield* connection(server.url)
      const error = yield* blocker.withTransaction(Effect.andThen(
        blocker`select from weir.lease where entity = ${fence.entity} for update`,
        Effect.flip(real.settle(fence, settlement([applied("e1")]))),
      ))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "200 ms")
      yield* real.settle(fence, settlement([applied("e1")]))
    }).pipe(TestClock.withLive))

  it.effect("is Refused without the migrations, and without the rights", () =>
    Effect.gen(function* () {
      const server = yield* Server
      const url = yield* emptyDatabase
      const bare = yield* Effect.map(connect({ url }), fromClient)
      assert.strictEqual((yield* Effect.flip(bare.claim("be01", "here"))).reason, "Refused")
      const sql = yield* connection(server.url)
      yield* sql`create role nobody login password 'secret'`
      const poor = yield* Effect.map(connect({ url: urlWith(server, "weir", "nobody") }), fromClient)
      const error = yield* Effect.flip(poor.tallies())
      assert.deepStrictEqual([error.reason, error.isRetryable], ["Refused", false])
      const wrong = yield* Effect.flip(make({ url: urlWith(server, "weir", "nobody", "wrong") }))
      assert.strictEqual(wrong.reason, "Refused")
      assert.notInclude(wrong.message, "wrong")
    }))

  it.effect("lets nobody change the audit trail, and shows it when somebody did all the same", () =>
    Effect.gen(function* () {
      const real = yield* Ledger
      const fence = yield* real.claim(freshEntity(), "here")
      const { entity } = fence
      for (const id of ["1", "2", "3"]) {
        const entries = [{ id, actor: "ada", action: "mode.changed", detail: { mode: "hold" } }] as const
        yield* real.govern(fence, { entries, incidents: [], outbox: [] })
      }
      const sql = yield* connection((yield* Server).url)
      for (
        const change of [
          sql`update weir.audit set actor = 'mallory' where entity = ${entity}`,
          sql`delete from weir.audit where entity = ${entity}`,
          sql`truncate weir.audit`,
        ]
      ) assert.isTrue(Result.isFailure(yield* Effect.result(change)))
      const trail = real.audit({ entity, after: 0, limit: 10 })
      assert.strictEqual(verifyAudit(yield* trail), null)
      // Whoever owns the table can.
      yield* sql`alter table weir.audit disable trigger audit_append_only`
      yield* sql`update weir.audit set detail = '{"mode":"full"}' where entity = ${entity} and sequence = 2`
      yield* sql`alter table weir.audit enable trigger audit_append_only`
      assert.strictEqual(verifyAudit(yield* trail), 2)
    }))

  it.effect("shares a client with others", () =>
    Effect.gen(function* () {
      const sql: SqlClient.SqlClient = yield* connection((yield* Server).url)
      assert.isNotEmpty(yield* fromClient(sql).owners)
    }))
})
