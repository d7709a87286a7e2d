/**
 * Questions of plans to dependencies beside Odoo, through their circuits:
 *
 *     closed, answered ─────────────────► the plan goes on
 *     closed, refused ──────────────────► exception (DEPENDENCY-REFUSED)
 *     closed, failed; or not closed ────► the event waits in the ledger (DEPENDENCY-DOWN)
 *                                          └── released by the session once the circuit is closed
 */
import { Clock, Duration, Effect, Option } from "effect"
import type { Refusal } from "../../flow/Step.ts"
import type { Json } from "../../odoo/Odoo.ts"
import type { Circuit } from "./Circuit.ts"
import type { Dependency, DependencyDown, DependencyRefused } from "./Dependencies.ts"

/** An event that is refused now is settled, and can be released, within so long; what takes longer is swept up later. */
const SETTLED_WITHIN = Duration.toMillis(Duration.seconds(30))
/** A release that was missed is made up for after so long. */
const SWEEP = Duration.toMillis(Duration.minutes(5))

/** Name in the ledger under which events wait for a dependency. */
export const DEPENDENCY_FLOW = "dependency"

export interface Asking {
  /** The answer, or why the event cannot go on. */
  readonly ask: (dependency: string, question: Json) => Effect.Effect<Json, Refusal>
  /** Dependencies that work and that events may be waiting for: whoever takes them releases the events. */
  readonly takeDue: (nowMillis: number) => ReadonlyArray<string>
}

export const makeAsking = (
  entity: string,
  named: ReadonlyMap<
    string,
    { readonly dependency: Dependency; readonly circuit: Circuit<DependencyDown | DependencyRefused> }
  >,
): Asking => {
  const refusedMillis = new Map<string, number>()
  const takenMillis = new Map<string, number>()

  const wait = Effect.fnUntraced(function* (name: string, trouble: string) {
    refusedMillis.set(name, yield* Clock.currentTimeMillis)
    const refusal: Refusal = {
      code: "DEPENDENCY-DOWN",
      detail: `${name} does not answer: ${trouble}`,
      waitFor: { flow: DEPENDENCY_FLOW, key: name },
    }
    return yield* Effect.fail(refusal)
  })

  return {
    ask: (name, question) => {
      const known = named.get(name)
      if (known?.dependency.ask === undefined) {
        return Effect.fail({
          code: "MAPPING-MISSING",
          detail: `the event needs ${name}, and weir.json names no such service: add it to services`,
        })
      }
      const { circuit, dependency } = known
      return circuit.attempt(dependency.ask!(entity, question)).pipe(
        Effect.matchEffect({
          onSuccess: Option.match({
            onNone: () => wait(name, circuit.trouble()),
            onSome: Effect.succeed,
          }),
          onFailure: (error): Effect.Effect<never, Refusal> =>
            error._tag === "DependencyDown"
              ? wait(name, error.message)
              : Effect.fail({ code: "DEPENDENCY-REFUSED", detail: `${name}: ${error.message}` }),
        }),
      )
    },
    takeDue: (nowMillis) =>
      [...named].flatMap(([name, { circuit, dependency }]) => {
        if (dependency.ask === undefined || circuit.state() !== "closed") return []
        const taken = takenMillis.get(name) ?? -Infinity
        const refused = refusedMillis.get(name) ?? -Infinity
        if (taken > refused + SETTLED_WITHIN && nowMillis < taken + SWEEP) return []
        takenMillis.set(name, nowMillis)
        return [name]
      }),
  }
}
