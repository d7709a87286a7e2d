/** What `memory/access.ts` keeps. The twin of the tables in `../migrations/access.ts`. */
import type { EnvironmentMark, StoredAnswer, TokenRecord } from "../Access.ts"

export interface KeyEntry {
  readonly fingerprint: string
  expiresAtMillis: number
  abandonedAtMillis: number
  answer: StoredAnswer | null
}

export interface AccessState {
  readonly tokens: Map<string, TokenRecord>
  /** By caller, then by key. */
  readonly keys: Map<string, Map<string, KeyEntry>>
  environment: EnvironmentMark | null
}

export const emptyAccess = (): AccessState => ({ tokens: new Map(), keys: new Map(), environment: null })
