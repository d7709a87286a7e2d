import { Effect } from "effect"
import type { LedgerError } from "../ledger/Ledger.ts"
import { Unavailable } from "./Problem.ts"

/** A question to the ledger. What went wrong there is for the log; a caller learns that it may ask again. */
export const asked = <A, R>(question: Effect.Effect<A, LedgerError, R>): Effect.Effect<A, Unavailable, R> =>
  question.pipe(
    Effect.tapError((error) => Effect.logWarning(`${error.operation}: ${error.message}`)),
    Effect.mapError(({ isRetryable }) =>
      new Unavailable({
        detail: isRetryable
          ? "The ledger does not answer. Try again in a moment."
          : "The ledger refuses it. The log says why; weir doctor says what to do.",
      })
    ),
  )
