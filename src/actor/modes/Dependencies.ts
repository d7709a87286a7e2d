/**
 * What flows need beside Odoo, by name: a tax engine, a pricing service. A flow says `needs: ["tax"]`; while the circuit
 * of `tax` is not closed only such flows wait, everything else goes on.
 */
import { Context, Effect, Schema } from "effect"

/** The dependency does not work now. Always a passing trouble: the circuit counts it, nothing is parked. */
export class DependencyDown extends Schema.TaggedError<DependencyDown>()("DependencyDown", {
  dependency: Schema.String,
  message: Schema.String,
}) {}

export interface Dependency {
  /** A cheap question that shows whether it works for an entity. */
  readonly probe: (entity: string) => Effect.Effect<void, DependencyDown>
}

/** By name. Default: none. */
export const Dependencies = Context.Reference<ReadonlyMap<string, Dependency>>("weir/actor/modes/Dependencies", {
  defaultValue: () => new Map(),
})

/** One in memory that is switched off and on, for all entities or for one. */
export const makeMemory = (name: string) => {
  const down = new Set<string>()
  let everywhere = false
  const dependency: Dependency = {
    probe: (entity) =>
      Effect.suspend(() =>
        everywhere || down.has(entity)
          ? Effect.fail(new DependencyDown({ dependency: name, message: `${name} is switched off` }))
          : Effect.void
      ),
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
