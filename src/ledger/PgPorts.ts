/** All ports of the ledger over one pool. */
import { Context, type Duration, Effect, Layer, type Scope } from "effect"
import type { SqlClient } from "effect/sql"
import { Access } from "./Access.ts"
import { Amendments } from "./Amendments.ts"
import { Archives } from "./Archives.ts"
import { Desk } from "./Desk.ts"
import { Ledger, type LedgerError } from "./Ledger.ts"
import * as PgAccess from "./PgAccess.ts"
import * as PgAmendments from "./PgAmendments.ts"
import * as PgArchives from "./PgArchives.ts"
import * as PgDesk from "./PgDesk.ts"
import * as PgLedger from "./PgLedger.ts"
import * as PgRecall from "./PgRecall.ts"
import * as PgRedrives from "./PgRedrives.ts"
import * as PgRuns from "./PgRuns.ts"
import { Recall } from "./Recall.ts"
import { Redrives } from "./Redrives.ts"
import { Runs } from "./Runs.ts"

export type Ports = Ledger | Access | Desk | Amendments | Redrives | Recall | Runs | Archives

/** Over a client that somebody else owns. Does not touch the database. */
export const fromClient = (sql: SqlClient.SqlClient, statementTimeout?: Duration.Input): Context.Context<Ports> =>
  Context.make(Ledger, PgLedger.fromClient(sql, statementTimeout)).pipe(
    Context.add(Access, PgAccess.fromClient(sql, statementTimeout)),
    Context.add(Desk, PgDesk.fromClient(sql, statementTimeout)),
    Context.add(Amendments, PgAmendments.fromClient(sql, statementTimeout)),
    Context.add(Redrives, PgRedrives.fromClient(sql, statementTimeout)),
    Context.add(Recall, PgRecall.fromClient(sql, statementTimeout)),
    Context.add(Runs, PgRuns.fromClient(sql, statementTimeout)),
    Context.add(Archives, PgArchives.fromClient(sql, statementTimeout)),
  )

/** Connects and migrates; see `PgLedger.open`. */
export const make = (
  options: PgLedger.Options,
): Effect.Effect<Context.Context<Ports>, LedgerError, Scope.Scope> =>
  Effect.map(PgLedger.open(options), (sql) => fromClient(sql, options.statementTimeout))

export const layer = (options: PgLedger.Options): Layer.Layer<Ports, LedgerError> => Layer.effectContext(make(options))
