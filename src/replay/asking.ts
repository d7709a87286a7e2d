/** Questions of a look to dependencies beside Odoo. They go past the circuits: a look that fails must not stop what is live. */
import { Clock, Effect } from "effect"
import { Dependencies, type DependencyDown, type DependencyRefused } from "../actor/modes/Dependencies.ts"
import type { Refusal } from "../flow/Step.ts"
import type { Ask } from "../odoo/plan/enrich.ts"

/** One that did not answer is not asked again for so long, in milliseconds. */
const AWAY = 30_000

/** A dependency that is away refuses the event that asks: the look goes on with the others. */
export const lookingAsk = Effect.fnUntraced(function* (entity: string) {
  const dependencies = yield* Dependencies
  const away = new Map<string, { readonly untilMillis: number; readonly refusal: Refusal }>()
  const ask: Ask = Effect.fnUntraced(function* (name, question) {
    const dependency = dependencies.get(name)
    if (dependency?.ask === undefined) {
      const detail = `the event needs ${name}, and weir.json names no such service: add it to services`
      return yield* Effect.fail<Refusal>({ code: "MAPPING-MISSING", detail })
    }
    const now = yield* Clock.currentTimeMillis
    const known = away.get(name)
    if (known !== undefined && now < known.untilMillis) return yield* Effect.fail(known.refusal)
    return yield* dependency.ask(entity, question).pipe(
      Effect.mapError((error: DependencyDown | DependencyRefused): Refusal => {
        if (error._tag === "DependencyRefused") {
          return { code: "DEPENDENCY-REFUSED", detail: `${name}: ${error.message}` }
        }
        const refusal: Refusal = { code: "DEPENDENCY-DOWN", detail: `${name} does not answer: ${error.message}` }
        away.set(name, { untilMillis: now + AWAY, refusal })
        return refusal
      }),
    )
  })
  return ask
})
