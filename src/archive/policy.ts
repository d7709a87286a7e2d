/** How long what is kept in the ledger, and what that comes to on a day. Pure. */
import { Duration } from "effect"
import type { ArchiveKind } from "../ledger/Archives.ts"

export interface Retention {
  /** Folder of the archives. */
  readonly directory: string
  /** Hour of the day in UTC, 0 to 23. */
  readonly hour: number
  /** Zero: for ever. */
  readonly events: Duration.Duration
  readonly exceptions: Duration.Duration
  readonly audit: Duration.Duration
  readonly runs: Duration.Duration
  /** What is done with events of a month that no proof says is complete. */
  readonly unproven: "keep" | "archive"
}

const policyOf: Readonly<Record<ArchiveKind, "events" | "exceptions" | "audit" | "runs">> = {
  events: "events",
  exceptions: "exceptions",
  corrections: "exceptions",
  audit: "audit",
  runs: "runs",
}

/**
 * Before when rows of a kind may leave: the beginning of the UTC month that lies so far back, so that whole months leave.
 * Null: never.
 */
export const beforeMillis = (retention: Retention, kind: ArchiveKind, nowMillis: number): number | null => {
  const keepMillis = Duration.toMillis(retention[policyOf[kind]])
  if (keepMillis === 0) return null
  const then = new Date(nowMillis - keepMillis)
  return Date.UTC(then.getUTCFullYear(), then.getUTCMonth(), 1)
}

/** `2026-10` as times: `toMillis` is the beginning of the next one. */
export const monthOf = (month: string): { readonly fromMillis: number; readonly toMillis: number } => {
  const [year = 0, number = 1] = month.split("-").map(Number)
  return { fromMillis: Date.UTC(year, number - 1, 1), toMillis: Date.UTC(year, number, 1) }
}
