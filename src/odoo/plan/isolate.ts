/**
 * When Odoo refuses a batch, who is guilty? Odoo does all or nothing, so the innocent go again without the guilty, in as
 * few calls as possible:
 *
 * - Odoo names rows: those are out, the rest goes again in one call.
 * - Odoo names none: halves, and halves of the half that fails.
 * - The call itself is wrong or forbidden: when the first and the last fail alone with the same words, all would.
 *
 * Only exceptions (`park`) are isolated. Trouble that a repetition may cure concerns the whole batch and stays a failure.
 */
import { Effect } from "effect"
import { dispositionOf } from "../../reason/Reason.ts"
import type { OdooError } from "../Odoo.ts"

export interface Isolation<T> {
  /** One call with all of `items`, all or nothing. */
  readonly call: (items: ReadonlyArray<T>) => Effect.Effect<unknown, OdooError>
  /** `item` alone is refused. */
  readonly refuse: (item: T, error: OdooError) => void
  /** Which of `items` the error names: sure ones with their own error, and those to be tried alone. */
  readonly named?: (error: OdooError, items: ReadonlyArray<T>) => {
    readonly guilty: ReadonlyMap<T, OdooError>
    readonly suspects: ReadonlySet<T>
  }
}

const isPark = (error: OdooError): boolean => dispositionOf(error.code) === "park"

/** Calls with all items; refuses the guilty and gets the others through. */
export const isolate = <T>(items: ReadonlyArray<T>, isolation: Isolation<T>): Effect.Effect<void, OdooError> =>
  items.length === 0 ? Effect.void : isolation.call(items).pipe(
    Effect.asVoid,
    Effect.catchIf(isPark, (error) => blame(items, error, isolation)),
  )

/** The same, when a call with all items has just failed with `error`. */
export const blame = <T>(
  items: ReadonlyArray<T>,
  error: OdooError,
  isolation: Isolation<T>,
): Effect.Effect<void, OdooError> => {
  const [first] = items
  if (first === undefined) return Effect.void
  if (items.length === 1) return Effect.sync(() => isolation.refuse(first, error))
  const named = isolation.named?.(error, items)
  if (named !== undefined && named.guilty.size + named.suspects.size > 0) {
    for (const [item, own] of named.guilty) isolation.refuse(item, own)
    const rest = items.filter((item) => !named.guilty.has(item) && !named.suspects.has(item))
    return isolate(rest, isolation).pipe(
      Effect.andThen(Effect.forEach(named.suspects, (suspect) => isolate([suspect], isolation), { discard: true })),
    )
  }
  return error.code === "ODOO-REFUSED-CALL" || error.code === "ODOO-ACCESS"
    ? probe(items, isolation)
    : halves(items, isolation)
}

const halves = <T>(items: ReadonlyArray<T>, isolation: Isolation<T>): Effect.Effect<void, OdooError> => {
  const middle = items.length >> 1
  return Effect.suspend(() => isolate(items.slice(0, middle), isolation)).pipe(
    Effect.andThen(Effect.suspend(() => isolate(items.slice(middle), isolation))),
  )
}

/** The first and the last alone; what is between them shares their lot when it is the same. */
const probe = Effect.fnUntraced(function* <T>(items: ReadonlyArray<T>, isolation: Isolation<T>) {
  const alone = (item: T) =>
    isolation.call([item]).pipe(
      Effect.as(undefined),
      Effect.catchIf(isPark, (error) =>
        Effect.sync(() => {
          isolation.refuse(item, error)
          return error
        })),
    )
  const first = yield* alone(items[0]!)
  const last = yield* alone(items[items.length - 1]!)
  const between = items.slice(1, -1)
  if (first !== undefined && last !== undefined && first.code === last.code && first.message === last.message) {
    for (const item of between) isolation.refuse(item, first)
  } else {
    yield* halves(between, isolation)
  }
})
