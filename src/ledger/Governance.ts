/**
 * What was done to an entity, by whom and why: its mode, the audit trail, its incidents. Kept in the ledger, written in
 * one transaction with the facts that go out about it.
 *
 * The audit trail is append-only and chained per entity: every record's hash covers the record and the hash before it,
 * so that a record that is changed, removed or put in between shows (`verifyAudit`). Records cut off at the end show
 * only against a hash that was noted elsewhere.
 */
import { createHash } from "node:crypto"
import type { Publication } from "../broker/Broker.ts"

export type Mode = "full" | "essential" | "drafts" | "hold" | "shadow"

/** A person's mode: it goes before every automatic step, until it expires or is lifted. */
export interface ModeOverride {
  readonly mode: Mode
  readonly actor: string
  readonly reason: string
  /** Epoch milliseconds; null: until somebody lifts it. */
  readonly untilMillis: number | null
}

/** A person's pause of one flow: it takes nothing in, whatever the mode, until it expires or is lifted. */
export interface FlowPause {
  readonly flow: string
  readonly actor: string
  readonly reason: string
  /** Epoch milliseconds. */
  readonly sinceMillis: number
  /** Epoch milliseconds; null: until somebody lifts it. */
  readonly untilMillis: number | null
}

/** How an entity stands. */
export interface Standing {
  /** What it does now. */
  readonly mode: Mode
  readonly override: ModeOverride | null
}

export interface AuditEntry {
  /** Unique per entity: an act that is recorded again after a lost answer counts once. */
  readonly id: string
  /** Who: a person's name, or `weir` for an automatic step. */
  readonly actor: string
  /** `mode.changed`, `drained`, `resumed`, `close.begun` … */
  readonly action: string
  readonly detail: { readonly [name: string]: string | number | boolean | null }
}

export interface AuditRecord {
  readonly entity: string
  /** Position in the entity's trail, from 1, without gaps. */
  readonly sequence: number
  readonly atMillis: number
  readonly actor: string
  readonly action: string
  /** JSON text, exactly as it was hashed. */
  readonly detail: string
  /** Hex SHA-256 of the record before; empty for the first. */
  readonly previousHash: string
  readonly hash: string
}

export interface AuditRange {
  readonly entity: string
  /** Beyond this position in the order asked; null: from the first in that order. */
  readonly after: number | null
  readonly limit: number
  /** Default `oldest` first. */
  readonly order?: "oldest" | "newest"
}

export interface IncidentStep {
  readonly atMillis: number
  readonly what: string
}

/** From the first failure until the entity does again all that it should. */
export interface Incident {
  /** Unique per entity. */
  readonly id: string
  readonly entity: string
  /** Name of the dependency, or `overload`. */
  readonly cause: string
  /** First failure of the streak. */
  readonly detectedAtMillis: number
  /** When it could do no more harm: calls stopped, or the mode stepped down. */
  readonly containedAtMillis: number | null
  /** When the dependency answered again and the automatic mode was full. */
  readonly restoredAtMillis: number | null
  readonly steps: ReadonlyArray<IncidentStep>
}

export interface IncidentFilter {
  readonly entity?: string
  /** Of these only. */
  readonly entities?: ReadonlyArray<string>
  /** Those that are not restored, or only the others. */
  readonly open?: boolean
  /** What follows this one. */
  readonly after?: Pick<Incident, "detectedAtMillis" | "entity" | "id">
  readonly limit: number
}

/** Everything about one act: durable together or not at all. */
export interface Act {
  readonly entries: readonly [AuditEntry, ...Array<AuditEntry>]
  /** Left out: mode and override stay. */
  readonly standing?: Standing
  /** All of them as they are from now on, one a flow at most. Left out: they stay. */
  readonly pauses?: ReadonlyArray<FlowPause>
  /** As they are now; those of the same id are replaced. */
  readonly incidents: ReadonlyArray<Incident>
  readonly outbox: ReadonlyArray<Publication>
}

/** Each field with its length in bytes before it (netstrings), so that no two records have the same text. */
const field = (text: string | number): string => `${Buffer.byteLength(String(text))}:${text}`

/** The hash that a record must have. The database computes the same in `weir.govern`. */
export const hashOf = (record: Omit<AuditRecord, "hash">): string =>
  createHash("sha256").update(
    [
      record.previousHash,
      record.entity,
      record.sequence,
      record.atMillis,
      record.actor,
      record.action,
      record.detail,
    ].map(field).join(""),
  ).digest("hex")

/** The last record of a part of a trail; sequence 0 and no hash before the first. */
export interface ChainEnd {
  readonly sequence: number
  readonly hash: string
}

export const CHAIN_BEGIN: ChainEnd = { sequence: 0, hash: "" }

/** Follows the chain from `end` over the next records in order: its new end, or the position where it is broken. */
export const chain = (end: ChainEnd, records: ReadonlyArray<AuditRecord>): ChainEnd | { readonly broken: number } => {
  let { hash, sequence } = end
  for (const record of records) {
    sequence++
    if (record.sequence !== sequence || record.previousHash !== hash || hashOf(record) !== record.hash) {
      return { broken: sequence }
    }
    hash = record.hash
  }
  return { sequence, hash }
}

/** Position of the first record that is not what was written; null when the chain is whole. Records in order from 1. */
export const verifyAudit = (records: ReadonlyArray<AuditRecord>): number | null => {
  const end = chain(CHAIN_BEGIN, records)
  return "broken" in end ? end.broken : null
}
