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

/** Calls with all items; refuses the guilty and gets the others through. Answers whether anybody was refused. */
export const isolate = <T>(items: ReadonlyArray<T>, isolation: Isolation<T>): Effect.Effect<boolean, OdooError> =>
  items.length === 0 ? Effect.succeed(false) : isolation.call(items).pipe(
    Effect.as(false),
    Effect.catchIf(isPark, (error) => blame(items, error, isolation)),
  )

/** The same, when a call with all items has just failed with `error`. */
export const blame = <T>(
  items: ReadonlyArray<T>,
  error: OdooError,
  isolation: Isolation<T>,
): Effect.Effect<boolean, OdooError> => {
  const [first] = items
  if (first === undefined) return Effect.succeed(false)
  if (items.length === 1) {
    return Effect.sync(() => {
      isolation.refuse(first, error)
      return true
    })
  }
  const named = isolation.named?.(error, items)
  if (named !== undefined && named.guilty.size + named.suspects.size > 0) {
    for (const [item, own] of named.guilty) isolation.refuse(item, own)
    const rest = items.filter((item) => !named.guilty.has(item) && !named.suspects.has(item))
    return isolate(rest, isolation).pipe(
      Effect.andThen(Effect.forEach(named.suspects, (suspect) => isolate([suspect], isolation), { discard: true })),
      Effect.as(true),
    )
  }
  return error.code === "ODOO-REFUSED-CALL" || error.code === "ODOO-ACCESS"
    ? probe(items, isolation)
    : halves(items, isolation)
}

/** Items that have just failed together. When the left half goes through, the right one fails for sure: no need to ask. */
const halves: <T>(items: ReadonlyArray<T>, isolation: Isolation<T>) => Effect.Effect<boolean, OdooError> = Effect
  .fnUntraced(function* (items, isolation) {
    if (items.length <= 1) return yield* isolate(items, isolation)
    const middle = items.length >> 1
    const left = yield* isolate(items.slice(0, middle), isolation)
    const right = items.slice(middle)
    return (yield* left ? isolate(right, isolation) : halves(right, isolation)) || left
  })

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
    yield* isolate(between, isolation)
  }
  return first !== undefined || last !== undefined
})
