import type { SqlError } from "effect/sql/SqlError"
import { LedgerError } from "../Ledger.ts"

/**
 * SQLSTATE classes (PostgreSQL manual, appendix A) after which the same statement may go through later: connection,
 * resources, operator intervention (shutdown, starting up), system error, transaction rollback; a read-only server after a
 * failover; and settings that a restart applies.
 */
const transientClasses = new Set(["08", "53", "57", "58", "40", "55"])
const readOnlyTransaction = "25006"

const stateOf = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined

const isTransient = (error: SqlError): boolean => {
  // First: the cause of a broken socket has a code as well, and EPIPE looks like a SQLSTATE.
  if (error.reason._tag === "ConnectionError") return true
  const state = stateOf(error.reason.cause)
  if (state !== undefined && /^[0-9A-Z]{5}$/u.test(state)) {
    return transientClasses.has(state.slice(0, 2)) || state === readOnlyTransaction
  }
  return error.reason.isRetryable
}

const textOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** `Unavailable` when it may go through later, `Refused` when not. */
export const ledgerError = (operation: string) => (error: SqlError): LedgerError => {
  const said = textOf(error.reason.cause)
  return isTransient(error)
    ? new LedgerError({ reason: "Unavailable", operation, message: `PostgreSQL is away: ${said}`, cause: error })
    : new LedgerError({
      reason: "Refused",
      operation,
      message: `PostgreSQL refuses ${operation}: ${said}. Check the user's rights on schema weir and that its ` +
        `migrations have run.`,
      cause: error,
    })
}

export const overdue = (operation: string, millis: number): LedgerError =>
  new LedgerError({
    reason: "Unavailable",
    operation,
    message: `PostgreSQL did not answer ${operation} within ${millis} ms.`,
  })

export const fenced = (operation: string, entity: string, epoch: number): LedgerError =>
  new LedgerError({
    reason: "Fenced",
    operation,
    message: `Epoch ${epoch} of ${entity} is over: another process owns the entity now.`,
  })
