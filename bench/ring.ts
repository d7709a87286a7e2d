/** The cluster's own ring of shards to runners, and its hash of an entity to a shard. */
import { HashRing } from "effect"
import { RunnerAddress } from "effect/cluster"

export interface Place {
  readonly host: string
  readonly port: number
}

/** `effect/cluster/internal/hash.ts`, which Sharding places entities by. */
const hashString = (text: string): number => {
  let hash = 5_381
  for (let at = text.length - 1; at >= 0; at--) hash = (hash * 33) ^ text.charCodeAt(at)
  return (hash & 0xbfffffff) | ((hash >>> 1) & 0x40000000)
}
const shardOf = (entity: string, shards: number): number => Math.abs(hashString(entity) % shards)

/** Entities by runner. */
export const placed = (
  places: ReadonlyArray<Place>,
  entities: ReadonlyArray<string>,
  shards: number,
): ReadonlyMap<Place, ReadonlyArray<string>> => {
  const ring = HashRing.make<RunnerAddress.RunnerAddress>()
  for (const { host, port } of places) HashRing.add(ring, RunnerAddress.make(host, port))
  const owners = HashRing.getShards(ring, shards)!
  return Map.groupBy(entities, (entity): Place => owners[shardOf(entity, shards)]!)
}

/** How many times its fair part the runner with the most has. */
export const skewOf = (found: ReadonlyMap<Place, ReadonlyArray<string>>, runners: number): number => {
  const sizes = [...found.values()].map(({ length }) => length)
  return Math.max(...sizes) / (sizes.reduce((sum, size) => sum + size, 0) / runners)
}
