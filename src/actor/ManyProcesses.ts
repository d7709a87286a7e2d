/**
 * The cluster of several processes: socket runners of `effect/cluster`, placed by shards that are locked in PostgreSQL.
 * A runner that is gone loses its locks, and its entities start elsewhere. That nobody owns an entity twice is not its
 * affair but the ledger's (epoch).
 *
 *     runner A ──┐                         ┌── runner B
 *                ├── PostgreSQL: who is there, who has which shards
 *     orders and status travel between the runners by RPC, events never do
 *
 * No message is kept in the database: every control message is answered, or fails and is sent again by whoever wants it.
 */
import { NodeClusterSocket } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Duration, Layer, Option, type Redacted } from "effect"
import {
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  Runners,
  type Sharding,
  ShardingConfig,
  SocketRunner,
  SqlRunnerStorage,
} from "effect/cluster"
import { RpcSerialization } from "effect/rpc"
import type { SocketServer } from "effect/socket"
import type { SqlError } from "effect/sql/SqlError"
import { ANYWHERE } from "./place.ts"

/**
 * How soon a runner that is gone is noticed, and what that costs.
 *
 * - `production`: entities of a runner that was killed work again after 5 to 15 s; a pause of a process below 15 s (a
 *   long collection, a slow disk) loses nothing.
 * - `test`: after 3 to 6 s; a loaded machine may lose locks for no reason, which costs a restart of its entities.
 */
export type Profile = "production" | "test"

const timings = {
  production: {
    shardLockRefreshInterval: Duration.seconds(3),
    shardLockExpiration: Duration.seconds(15),
    refreshAssignmentsInterval: Duration.seconds(2),
    runnerHealthCheckInterval: Duration.seconds(3),
    runnerJoinDebounce: Duration.seconds(5),
  },
  test: {
    shardLockRefreshInterval: Duration.seconds(1),
    shardLockExpiration: Duration.seconds(5),
    refreshAssignmentsInterval: Duration.seconds(1),
    runnerHealthCheckInterval: Duration.seconds(1),
    runnerJoinDebounce: Duration.zero,
  },
} as const satisfies Record<Profile, Partial<ShardingConfig.ShardingConfig["Service"]>>

export interface ManyProcessesOptions {
  /** The ledger's database: runners and locks live beside the ledger, in its schema. */
  readonly postgresUrl: Redacted.Redacted
  /** How the other runners reach this one. */
  readonly host: string
  readonly port: number
  /** Address to listen on. */
  readonly listen: string
  readonly profile: Profile
  /** Region of this runner; without one it takes only entities without one. */
  readonly region: string | undefined
  /** All regions that entities name: the same in all runners. */
  readonly regions: ReadonlyArray<string>
  /** Shards relative to other runners. */
  readonly weight: number
  /** Shards per region: the same in all runners. Another number places entities otherwise, more of them no better. */
  readonly shards: number
  /** How long an entity's scope may take to close when it is moved or ended. At least the drain's grace. */
  readonly termination: Duration.Input
}

/** One connection holds the locks, the others ask. */
const CONNECTIONS = 3
const CONNECT_TIMEOUT = "5 seconds"
const KEEP_ALIVE = "5 seconds"

const database = ({ postgresUrl }: ManyProcessesOptions) =>
  PgClient.layer({
    url: postgresUrl,
    maxConnections: CONNECTIONS,
    applicationName: "weir-cluster",
    connectTimeout: CONNECT_TIMEOUT,
    // A lock connection that is cut has to be noticed within the time that the locks last.
    keepAlive: KEEP_ALIVE,
    startupOptions: "-c search_path=weir",
  })

const config = (options: ManyProcessesOptions) =>
  ShardingConfig.layer({
    ...timings[options.profile],
    runnerAddress: Option.some(RunnerAddress.make(options.host, options.port)),
    runnerListenAddress: Option.some(RunnerAddress.make(options.listen, options.port)),
    runnerShardWeight: options.weight,
    shardsPerGroup: options.shards,
    availableShardGroups: [ANYWHERE, ...options.regions],
    assignedShardGroups: options.region === undefined ? [ANYWHERE] : [ANYWHERE, options.region],
    entityTerminationTimeout: options.termination,
  })

/** Needs the ledger's schema to be there. */
export const layer = (
  options: ManyProcessesOptions,
): Layer.Layer<Sharding.Sharding, SocketServer.SocketServerError | SqlError> =>
  SocketRunner.layer.pipe(
    Layer.provide([
      NodeClusterSocket.layerSocketServer,
      RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc)),
    ]),
    Layer.provide(NodeClusterSocket.layerClientProtocol),
    Layer.provide(MessageStorage.layerNoop),
    Layer.provide(SqlRunnerStorage.layer),
    Layer.provide(database(options)),
    Layer.provide(config(options)),
    Layer.provide(RpcSerialization.layerSchemaBinary()),
  )
