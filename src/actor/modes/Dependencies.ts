/**
 * What flows need beside Odoo, by name: a tax engine, a pricing service. Two ways to need one:
 *
 * - A flow says `needs: ["tax"]`: while the circuit of `tax` is not closed that flow as a whole waits.
 * - A plan asks it, by an `enrich` step: while the circuit is not closed only the events that have something to ask wait,
 *   in the ledger, and go on by themselves when it is closed again (`asking.ts`).
 *
 * Everything else goes on.
 */
import { Context, Effect, Schema } from "effect"
import type { Json } from "../../odoo/Odoo.ts"

/** The dependency does not work now. Always a passing trouble: the circuit counts it, nothing is parked. */
export class DependencyDown extends Schema.TaggedError<DependencyDown>()("DependencyDown", {
  dependency: Schema.String,
  message: Schema.String,
}) {}

/** It works, and cannot answer this question: asking again would not help. The event becomes an exception. */
export class DependencyRefused extends Schema.TaggedError<DependencyRefused>()("DependencyRefused", {
  dependency: Schema.String,
  message: Schema.String,
}) {}

export interface Dependency {
  /** A cheap question that shows whether it works for an entity. */
  readonly probe: (entity: string) => Effect.Effect<void, DependencyDown>
  /**
   * Answers the question of an `enrich` step, within a time of its own. The same question may be asked again. Left out: it
   * is needed only.
   */
  readonly ask?: (entity: string, question: Json) => Effect.Effect<Json, DependencyDown | DependencyRefused>
}

/** By name. Default: none. */
export const Dependencies = Context.Reference<ReadonlyMap<string, Dependency>>("weir/actor/modes/Dependencies", {
  defaultValue: () => new Map(),
})

/** One in memory that is switched off and on, for all entities or for one. `answer`: to questions; a text: refused. */
export const makeMemory = (
  name: string,
  answer?: (question: Json, entity: string) => Json | { readonly refused: string },
) => {
  const down = new Set<string>()
  let everywhere = false
  const works = (entity: string): Effect.Effect<void, DependencyDown> =>
    Effect.suspend(() =>
      everywhere || down.has(entity)
        ? Effect.fail(new DependencyDown({ dependency: name, message: `${name} is switched off` }))
        : Effect.void
    )
  const dependency: Dependency = {
    probe: works,
    ...(answer !== undefined && {
      ask: (entity, question) =>
        Effect.andThen(
          works(entity),
          Effect.suspend((): Effect.Effect<Json, DependencyRefused> => {
            const given = answer(question, entity)
            return isRefused(given)
              ? Effect.fail(new DependencyRefused({ dependency: name, message: given.refused }))
              : Effect.succeed(given)
          }),
        ),
    }),
  }
  return {
    dependency,
    setWorking: (working: boolean, entity?: string): void => {
      if (entity === undefined) everywhere = !working
      else if (working) down.delete(entity)
      else down.add(entity)
    },
  }
}

const isRefused = (answer: Json | { readonly refused: string }): answer is { readonly refused: string } =>
  typeof answer === "object" && answer !== null && "refused" in answer && typeof answer.refused === "string"
