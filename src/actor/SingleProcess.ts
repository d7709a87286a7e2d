/**
 * The cluster of one process: `SingleRunner` of `effect/cluster` without its SQL message storage, which none of our
 * control messages use (all are volatile), so that the control plane answers while the database is away. Runs on the
 * real clock and on `TestClock` alike.
 */
import { Duration, Layer } from "effect"
import { MessageStorage, RunnerHealth, Runners, RunnerStorage, Sharding, ShardingConfig } from "effect/cluster"
import { ANYWHERE } from "./place.ts"

export interface SingleProcessOptions {
  /** All regions that entities name: there is nowhere else for them to run. */
  readonly regions: ReadonlyArray<string>
  /** How long an entity's scope may take to close when it is moved or ended. At least the drain's grace. */
  readonly termination: Duration.Input
}

export const layer = ({ regions, termination }: SingleProcessOptions): Layer.Layer<Sharding.Sharding> => {
  const groups = [ANYWHERE, ...regions]
  return Sharding.layer.pipe(
    Layer.provide(Runners.layerNoop),
    Layer.provide(MessageStorage.layerNoop),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide(ShardingConfig.layer({
      availableShardGroups: groups,
      assignedShardGroups: groups,
      entityTerminationTimeout: termination,
    })),
  )
}
