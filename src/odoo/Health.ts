/**
 * Whether an Odoo database serves anybody, as its writers see it: the evidence that a write which does not go through is
 * stuck by itself, and not waiting for an Odoo that is away. One for all entities of the process. Plain state, no effects.
 */
import { Context, Effect, Layer } from "effect"

/** A batch that is being written. */
export type Writer = symbol

interface Known {
  /** When a plan run went through last, by the clock that never jumps (`telemetry/elapsed.ts`), as all times here. */
  servedMillis: number
  /** Writers whose last try failed, with the line of work they belong to. */
  readonly failing: Map<Writer, string>
}

export class OdooHealth extends Context.Service<OdooHealth, {
  /** A plan run went through; whatever `writer` had failed with is over. */
  readonly served: (database: string, writer: Writer, nowMillis: number) => void
  /** A try of `writer`, which works for `line` (entity and flow), did not go through. */
  readonly failed: (database: string, writer: Writer, line: string) => void
  /** `writer` is gone, whatever became of it. */
  readonly left: (database: string, writer: Writer) => void
  /** Somebody's plan run went through after `sinceMillis`. */
  readonly servesSince: (database: string, sinceMillis: number) => boolean
  /** Writers of other lines fail too. */
  readonly failsElsewhere: (database: string, line: string) => boolean
}>()("weir/odoo/Health") {}

export const make = (): typeof OdooHealth.Service => {
  const databases = new Map<string, Known>()
  const of = (database: string): Known => {
    const known = databases.get(database) ?? { servedMillis: -Infinity, failing: new Map<Writer, string>() }
    databases.set(database, known)
    return known
  }
  return {
    served: (database, writer, nowMillis) => {
      const known = of(database)
      known.servedMillis = Math.max(known.servedMillis, nowMillis)
      known.failing.delete(writer)
    },
    failed: (database, writer, line) => void of(database).failing.set(writer, line),
    left: (database, writer) => void of(database).failing.delete(writer),
    servesSince: (database, sinceMillis) => of(database).servedMillis > sinceMillis,
    failsElsewhere: (database, line) => [...of(database).failing.values()].some((other) => other !== line),
  }
}

export const layer: Layer.Layer<OdooHealth> = Layer.effect(OdooHealth, Effect.sync(make))
