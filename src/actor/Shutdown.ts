/** Ends all actors of this process in order: each stops its intake and settles what is in flight, all at the same time. */
import { Context, Duration, Effect, Layer, type Scope } from "effect"

export class Shutdown extends Context.Service<Shutdown, {
  /** `drain` takes part while the current scope is open. */
  readonly register: (entity: string, drain: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Drains everything registered, for at most `grace`. Answers the entities that were not done by then: what they had
   * in flight is delivered again to the next owner.
   */
  readonly drainAll: (grace: Duration.Input) => Effect.Effect<ReadonlyArray<string>>
}>()("weir/actor/Shutdown") {
  static readonly layer = Layer.sync(Shutdown, () => {
    const drains = new Map<string, Effect.Effect<void>>()
    return {
      register: (entity: string, drain: Effect.Effect<void>) =>
        Effect.acquireRelease(
          Effect.sync(() => void drains.set(entity, drain)),
          () => Effect.sync(() => void (drains.get(entity) === drain && drains.delete(entity))),
        ),
      drainAll: (grace: Duration.Input) =>
        Effect.forEach([...drains], ([entity, drain]) =>
          drain.pipe(
            Effect.timeoutOption(grace),
            Effect.map((done) => done._tag === "None" ? [entity] : []),
          ), { concurrency: Math.max(1, drains.size) }).pipe(Effect.map((late) => late.flat())),
    }
  })
}
