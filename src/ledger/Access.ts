/**
 * Who may use this installation, and what it remembers about being used: API tokens, answers under idempotency keys, the
 * environment's mark, entries of the audit trail that no owner writes. A sibling port of `Ledger.ts` over the same
 * database: `PgAccess.ts`, `memory/access.ts`; both pass `test/ledger/Access.suite.ts`. Nothing here is fenced: any node
 * may do it.
 */
import { Context, type Effect } from "effect"
import type { AuditEntry } from "./Governance.ts"
import type { LedgerError } from "./Ledger.ts"

/** The trail of what concerns no legal entity: tokens, retention. Not a possible code of one. */
export const INSTALLATION = "_weir"

export interface TokenRecord {
  /** Public part of the token, by which it is found and revoked. */
  readonly id: string
  /** Hex SHA-256 of the secret part. */
  readonly hash: string
  /** Whose it is: the name in the audit trail. Two tokens of one owner are one person. */
  readonly owner: string
  readonly roles: ReadonlyArray<string>
  /** Codes of legal entities; null: all of them. */
  readonly entities: ReadonlyArray<string> | null
  readonly createdBy: string
  readonly createdAtMillis: number
  readonly expiresAtMillis: number
  readonly revokedAtMillis: number | null
  readonly revokedBy: string | null
  /** To the minute; null: never. */
  readonly lastUsedAtMillis: number | null
}

export type NewToken = Omit<TokenRecord, "revokedAtMillis" | "revokedBy" | "lastUsedAtMillis">

/** An answer as it went out. */
export interface StoredAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: Uint8Array
}

export interface Reservation {
  /** Who calls; keys of different callers never meet. */
  readonly caller: string
  readonly key: string
  /** Of the request: the same key for another request is a mistake. */
  readonly fingerprint: string
  readonly nowMillis: number
  /** When the key is forgotten. */
  readonly expiresAtMillis: number
  /** A call that has not ended by then has died: the key may be taken over. */
  readonly abandonedAtMillis: number
  /** Most keys of a caller. */
  readonly limit: number
}

/**
 * - `Fresh`: the caller's to carry out; ends with `complete` or `abandon`.
 * - `Done`: carried out before; this was the answer.
 * - `Busy`: being carried out at this moment.
 * - `Other`: the key was used for another request.
 * - `Full`: the caller has too many keys that are not forgotten yet.
 */
export type Reserved =
  | { readonly _tag: "Fresh" }
  | { readonly _tag: "Done"; readonly answer: StoredAnswer }
  | { readonly _tag: "Busy" }
  | { readonly _tag: "Other" }
  | { readonly _tag: "Full" }

/** What a ledger or an Odoo is for: `production`, `staging`, `test`. */
export interface EnvironmentMark {
  readonly environment: string
  readonly by: string
  readonly atMillis: number
}

export class Access extends Context.Service<Access, {
  /** Keeps a new token. Its id is new. */
  readonly issue: (token: NewToken) => Effect.Effect<void, LedgerError>
  /** The token of that id, expired and revoked ones too; null: none. */
  readonly token: (id: string) => Effect.Effect<TokenRecord | null, LedgerError>
  /** All tokens by id, after one of them. */
  readonly tokens: (
    page: { readonly after: string; readonly limit: number },
  ) => Effect.Effect<ReadonlyArray<TokenRecord>, LedgerError>
  /** Ends a token. False: there is no such token, or it was revoked before. */
  readonly revoke: (id: string, by: string) => Effect.Effect<boolean, LedgerError>
  /** Notes that it was used now, at most once a minute. */
  readonly used: (id: string) => Effect.Effect<void, LedgerError>
  /** Takes an idempotency key, or tells what became of it. Forgets expired keys of the caller. One statement. */
  readonly reserve: (reservation: Reservation) => Effect.Effect<Reserved, LedgerError>
  /** Keeps the answer of a reserved key until it expires. */
  readonly complete: (caller: string, key: string, answer: StoredAnswer) => Effect.Effect<void, LedgerError>
  /** Gives a reserved key back: nothing was done under it. */
  readonly abandon: (caller: string, key: string) => Effect.Effect<void, LedgerError>
  /**
   * Appends to the audit trail of an entity, or of `INSTALLATION`, in line with the owner's own entries. Recorded again
   * under the same id: counts once.
   */
  readonly record: (entity: string, entry: AuditEntry) => Effect.Effect<void, LedgerError>
  /** What this ledger is marked as; null: unmarked. */
  readonly environment: Effect.Effect<EnvironmentMark | null, LedgerError>
  /** Marks an unmarked ledger. Answers the mark that stands, which may be another one. */
  readonly mark: (environment: string, by: string) => Effect.Effect<EnvironmentMark, LedgerError>
}>()("weir/ledger/Access") {}
