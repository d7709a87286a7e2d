/**
 * The ledger in PostgreSQL 15 or later, schema `weir`. Every verb is one statement and one transaction (`sql/`); only
 * `claim` asks twice.
 */
import { PgClient } from "@effect/sql-pg"
import { Clock, type Duration, Effect, Exit, Layer, type Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { batchOf } from "./batch.ts"
import { type Fence, Ledger, type LedgerError, type Mode } from "./Ledger.ts"
import { migrate } from "./migrations/migrate.ts"
import { admission, type AdmitRow } from "./sql/admission.ts"
import { fenced, ledgerError } from "./sql/failure.ts"
import { CHAIN_BEGIN } from "./Governance.ts"
import {
  type AnchorRow,
  auditOf,
  type AuditRow,
  governParameters,
  incidentOf,
  type IncidentRow,
  overrideOf,
  selectAnchor,
  selectAudit,
  selectIncidents,
  selectLastAct,
  selectStanding,
  type StandingRow,
} from "./sql/govern.ts"
import { pausesOf, pausesParameter, selectPauses } from "./sql/pauses.ts"
import { bigint, bigintColumn, invocation, text, textColumn } from "./sql/parameters.ts"
import { queries } from "./sql/query.ts"
import {
  exceptionOf,
  heldOf,
  type HeldRow,
  outboxOf,
  type OutboxTableRow,
  ownershipOf,
  type OwnershipRow,
  tallyOf,
  type TallyRow,
} from "./sql/rows.ts"
import {
  selectExceptions,
  selectOutbox,
  selectOwners,
  selectReady,
  selectReadyFlows,
  selectTallies,
  upsertLease,
} from "./sql/select.ts"
import { insertApproval, lockLease, lockOwnLease, releaseWaiting } from "./sql/approve.ts"
import { addingParameters, isAdding, LATE, lateParameters, selectLate } from "./sql/adding.ts"
import { parkLate } from "./late.ts"
import { settlementParameters } from "./sql/settlementParameters.ts"
import { advanceParameters, type FeedRow, selectFeed, toldOf } from "./sql/told.ts"
import { closingParameters, selectDue, windowOf, type WindowRow } from "./sql/windows.ts"

export interface Options {
  /** `postgres://user:password@host:port/database`; `sslmode=require` as PostgreSQL knows it. */
  readonly url: Redacted.Redacted
  /** Connections, at most. Default 8. Every entity uses one at a time in its hot path. */
  readonly poolSize?: number
  /** Shown in `pg_stat_activity`. Default `weir`. */
  readonly applicationName?: string
  /** A statement that takes longer is cancelled and `Unavailable`. Default 30 seconds. */
  readonly statementTimeout?: Duration.Input
}

export const defaults = { poolSize: 8, applicationName: "weir", statementTimeout: "30 seconds" } as const
const connectTimeout = "5 seconds"
/** A peer that vanished without a word is noticed after about so long. */
const keepAlive = "30 seconds"

/** What a fenced verb answers when the epoch is stale. */
const stale = -1

/** The ledger over a client that somebody else owns. Does not touch the database. */
export const fromClient = (
  sql: SqlClient.SqlClient,
  statementTimeout: Duration.Input = defaults.statementTimeout,
): typeof Ledger.Service => {
  const query = queries(sql, statementTimeout)

  /** A verb that answers a count, `stale` when fenced. */
  const verb = (operation: string, name: string, fence: Fence, parameters: ReadonlyArray<unknown>) =>
    Effect.flatMap(
      query<{ readonly n: number }>(operation, `select ${invocation(name, parameters)} as n`, parameters),
      ([row]) =>
        row === undefined || row.n === stale
          ? Effect.fail(fenced(operation, fence.entity, fence.epoch))
          : Effect.succeed(row.n),
    )

  /** Rows that the owner reads: none at all means a stale epoch, one of nulls that there is nothing. */
  const owned = <Row extends object>(
    operation: string,
    fence: Fence,
    statement: string,
    id: keyof Row,
    parameters: ReadonlyArray<unknown>,
  ) =>
    Effect.flatMap(
      query<Row>(operation, statement, [text(fence.entity), bigint(fence.epoch), ...parameters]),
      (rows) =>
        rows.length === 0
          ? Effect.fail(fenced(operation, fence.entity, fence.epoch))
          : Effect.succeed(rows.filter((row) => row[id] !== null)),
    )

  return Ledger.of({
    claim: Effect.fn("Ledger.claim")(function* (entity: string, owner: string, rules?: string) {
      const now = yield* Clock.currentTimeMillis
      const [lease] = yield* query<{ readonly epoch: bigint; readonly mode: Mode }>("Ledger.claim", upsertLease, [
        text(entity),
        text(owner),
        bigint(now),
        rules === undefined ? null : text(rules),
      ])
      if (lease === undefined) return yield* fenced("Ledger.claim", entity, 0)
      // A statement of its own: the one above may have waited for the last settlement of the owner before us.
      const rows = yield* query<{ readonly flow: string; readonly stream_sequence: bigint }>(
        "Ledger.claim",
        "select flow, stream_sequence from weir.checkpoint where entity = $1",
        [text(entity)],
      )
      return {
        entity,
        epoch: Number(lease.epoch),
        mode: lease.mode,
        checkpoints: new Map(rows.map((row) => [row.flow, Number(row.stream_sequence)])),
      }
    }),

    admit: Effect.fnUntraced(function* (fence, flow, questions) {
      const { parameters, answersOf } = admission(fence, flow, questions)
      const statement = `select * from ${invocation("weir.admit", parameters)}`
      const answers = answersOf(yield* query<AdmitRow>("Ledger.admit", statement, parameters))
      return answers ?? (yield* fenced("Ledger.admit", fence.entity, fence.epoch))
    }),

    settle: Effect.fnUntraced(function* (fence, { checkpoints, outcomes: given }) {
      const now = yield* Clock.currentTimeMillis
      let outcomes = given
      while (true) {
        const batch = batchOf({ outcomes, checkpoints })
        const parameters = settlementParameters(fence, now, batch, checkpoints)
        if (!outcomes.some(isAdding)) {
          return { released: yield* verb("Ledger.settle", "weir.settle", fence, parameters) }
        }
        const adding = [...parameters, ...addingParameters(batch)]
        const released = yield* verb("Ledger.settle", "weir.settle_adding", fence, adding)
        if (released !== LATE) return { released }
        // A window was closed since these events were taken in. What is closed stays so: this ends.
        const late = yield* query<{ readonly event_id: string }>("Ledger.settle", selectLate, [
          text(fence.entity),
          ...lateParameters(batch.events),
        ])
        outcomes = parkLate(outcomes, new Set(late.map(({ event_id }) => event_id)))
      }
    }),

    ready: (fence, flow, limit, except) =>
      Effect.map(
        owned<HeldRow>("Ledger.ready", fence, selectReady, "event_id", [
          text(flow),
          bigint(limit),
          textColumn(except, (id) => id),
        ]),
        (rows) => rows.map(heldOf),
      ),

    readyFlows: (fence, flows) =>
      Effect.map(
        owned<{ readonly flow: string }>("Ledger.readyFlows", fence, selectReadyFlows, "flow", [
          textColumn(flows, (flow) => flow),
        ]),
        (rows) => rows.map(({ flow }) => flow),
      ),

    expire: (fence, nowMillis) =>
      verb("Ledger.expire", "weir.expire", fence, [
        text(fence.entity),
        bigint(fence.epoch),
        bigint(nowMillis),
        text("REFERENCE-OVERDUE"),
      ]),

    govern: Effect.fnUntraced(function* (fence, act) {
      const parameters = governParameters(fence, yield* Clock.currentTimeMillis, act)
      yield* act.pauses === undefined
        ? verb("Ledger.govern", "weir.govern", fence, parameters)
        : verb("Ledger.govern", "weir.govern_pauses", fence, [...parameters, pausesParameter(act.pauses)])
    }),

    standing: (entity) =>
      Effect.map(
        query<StandingRow>("Ledger.standing", selectStanding, [text(entity)]),
        ([row]) => row === undefined ? null : { mode: row.mode, override: overrideOf(row) },
      ),

    pauses: (entity) =>
      Effect.map(
        query<{ readonly pauses: unknown }>("Ledger.pauses", selectPauses, [text(entity)]),
        ([row]) => row === undefined ? [] : pausesOf(row.pauses),
      ),

    audit: ({ after, entity, limit, order = "oldest" }) =>
      Effect.map(
        query<AuditRow>("Ledger.audit", selectAudit[order], [
          text(entity),
          after === null ? null : bigint(after),
          bigint(limit),
        ]),
        (rows) => rows.map(auditOf),
      ),

    auditAnchor: (entity) =>
      Effect.map(
        query<AnchorRow>("Ledger.auditAnchor", selectAnchor, [text(entity)]),
        ([row]) => row === undefined ? CHAIN_BEGIN : { sequence: Number(row.sequence), hash: row.hash },
      ),

    lastAct: (entity, actions) =>
      Effect.map(
        query<AuditRow>("Ledger.lastAct", selectLastAct, [text(entity), textColumn(actions, (action) => action)]),
        ([row]) => row === undefined ? null : auditOf(row),
      ),

    incidents: ({ after, entities, entity, limit, open }) =>
      Effect.map(
        query<IncidentRow>("Ledger.incidents", selectIncidents, [
          entity === undefined ? null : text(entity),
          open === undefined ? null : open,
          entities === undefined ? null : textColumn(entities, (one) => one),
          after === undefined ? null : bigint(after.detectedAtMillis),
          text(after?.entity ?? ""),
          text(after?.id ?? ""),
          bigint(limit),
        ]),
        (rows) => rows.map(incidentOf),
      ),

    dueWindows: (fence, { flow, limit, nowMillis, quietSinceMillis }) =>
      Effect.map(
        owned<WindowRow>("Ledger.dueWindows", fence, selectDue, "series", [
          text(flow),
          bigint(nowMillis),
          bigint(quietSinceMillis),
          bigint(limit),
        ]),
        (rows) => rows.map(windowOf),
      ),

    closeWindows: Effect.fnUntraced(function* (fence, closings) {
      const now = yield* Clock.currentTimeMillis
      return yield* verb("Ledger.closeWindows", "weir.close_windows", fence, closingParameters(fence, now, closings))
    }),

    feed: (fence, feed, records) =>
      Effect.map(
        owned<FeedRow>("Ledger.feed", fence, selectFeed, "entity", [text(feed), bigintColumn(records, (id) => id)]),
        (rows) => ({
          watermark: rows[0]?.watermark ?? null,
          told: new Map(rows.flatMap((row) => row.record_id === null ? [] : [[Number(row.record_id), toldOf(row)]])),
        }),
      ),

    advance: (fence, step) => verb("Ledger.advance", "weir.advance", fence, advanceParameters(fence, step)),

    outbox: (fence, limit) =>
      Effect.map(
        owned<OutboxTableRow>("Ledger.outbox", fence, selectOutbox, "id", [bigint(limit)]),
        (rows) => rows.map(outboxOf),
      ),

    published: (fence, ids) => {
      const parameters = [text(fence.entity), bigint(fence.epoch), bigintColumn(ids, (id) => id)]
      return Effect.asVoid(verb("Ledger.published", "weir.published", fence, parameters))
    },

    tallies: (entity) =>
      Effect.map(
        query<TallyRow>("Ledger.tallies", selectTallies, [entity === undefined ? null : text(entity)]),
        (rows) => rows.map(tallyOf),
      ),

    owners: Effect.suspend(() => query<OwnershipRow>("Ledger.owners", selectOwners, [])).pipe(
      Effect.map((rows) => rows.map(ownershipOf)),
    ),

    exceptions: (filter) =>
      Effect.map(
        query<HeldRow>("Ledger.exceptions", selectExceptions, [
          filter.entity === undefined ? null : text(filter.entity),
          filter.flow === undefined ? null : text(filter.flow),
          filter.state === undefined ? null : text(filter.state),
          bigint(filter.limit),
        ]),
        (rows) => rows.map(exceptionOf),
      ),

    retry: (entity, eventIds) =>
      Effect.map(
        query<{ readonly n: number }>("Ledger.retry", "select weir.retry($1, $2) as n", [
          text(entity),
          textColumn(eventIds, (id) => id),
        ]),
        ([row]) => row?.n ?? 0,
      ),

    approve: (entity, { flow, key }, by) => {
      const parameters = [text(entity), text(flow), text(key)]
      // One after the other behind the lease's lock, so that whoever begins to wait meanwhile is seen.
      return Effect.gen(function* () {
        yield* query("Ledger.approve", lockLease, [text(entity)])
        yield* query("Ledger.approve", insertApproval, [...parameters, text(by)])
        const [row] = yield* query<{ readonly n: number }>("Ledger.approve", releaseWaiting, parameters)
        return row?.n ?? 0
      }).pipe(
        sql.withTransaction,
        Effect.mapError((error) => error._tag === "SqlError" ? ledgerError("Ledger.approve")(error) : error),
      )
    },

    release: (fence, { flow, key }) =>
      Effect.gen(function* () {
        const owner = [text(fence.entity), bigint(fence.epoch)]
        const lease = yield* query<{ readonly own: number }>("Ledger.release", lockOwnLease, owner)
        if (lease.length === 0) return yield* fenced("Ledger.release", fence.entity, fence.epoch)
        const [row] = yield* query<{ readonly n: number }>("Ledger.release", releaseWaiting, [
          text(fence.entity),
          text(flow),
          text(key),
        ])
        return row?.n ?? 0
      }).pipe(
        sql.withTransaction,
        Effect.mapError((error) => error._tag === "SqlError" ? ledgerError("Ledger.release")(error) : error),
      ),

    dismiss: Effect.fnUntraced(function* (entity, eventIds, reason) {
      const now = yield* Clock.currentTimeMillis
      const [row] = yield* query<{ readonly n: number }>("Ledger.dismiss", "select weir.dismiss($1, $2, $3, $4) as n", [
        text(entity),
        textColumn(eventIds, (id) => id),
        text(reason),
        bigint(now),
      ])
      return row?.n ?? 0
    }),
  })
}

/** The pool. Opens no connection yet: a database that is away shows at the first statement. */
export const connect = (options: Options): Effect.Effect<PgClient.PgClient, LedgerError, Scope.Scope> =>
  PgClient.make({
    url: options.url,
    maxConnections: options.poolSize ?? defaults.poolSize,
    applicationName: options.applicationName ?? defaults.applicationName,
    connectTimeout,
    keepAlive,
  }).pipe(Effect.mapError(ledgerError("Ledger.connect")), Effect.provide(Reactivity.layer))

/**
 * Connects and migrates. While the database is away it fails with `Unavailable`: run it again, a failed try leaves
 * nothing behind in the scope.
 */
export const open = (options: Options): Effect.Effect<PgClient.PgClient, LedgerError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const attempt = yield* Scope.fork(yield* Effect.scope)
      return yield* restore(Effect.gen(function* () {
        const sql = yield* connect(options)
        yield* Effect.provideService(migrate, SqlClient.SqlClient, sql)
        return sql
      })).pipe(
        Scope.provide(attempt),
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(attempt, exit)),
      )
    })
  )

/** The ledger over a pool of its own, `open`ed. */
export const make = (options: Options): Effect.Effect<typeof Ledger.Service, LedgerError, Scope.Scope> =>
  Effect.map(open(options), (sql) => fromClient(sql, options.statementTimeout))

/** `make` as a layer. */
export const layer = (options: Options): Layer.Layer<Ledger, LedgerError> => Layer.effect(Ledger, make(options))

/** Over a client that is shared with others. */
export const layerClient: Layer.Layer<Ledger, LedgerError, SqlClient.SqlClient> = Layer.effect(
  Ledger,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* migrate
    return fromClient(sql)
  }),
)

export { migrate }
