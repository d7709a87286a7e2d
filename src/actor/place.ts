/**
 * Where an entity may run. Its address in the cluster is its code, with its region behind it when it has one; the region
 * is the group of its shards, and only runners of the region take those.
 */

/** Group of entities without a region: every runner takes them. */
export const ANYWHERE = "default"
const SEPARATOR = "@"

export interface Placed {
  readonly code: string
  readonly region?: string
}

/** `be01`, or `be01@eu`. */
export const addressOf = ({ code, region }: Placed): string =>
  region === undefined ? code : `${code}${SEPARATOR}${region}`

export const codeIn = (address: string): string => address.split(SEPARATOR, 1)[0]!

/** The shard group of an address. */
export const regionIn = (address: string): string => address.split(SEPARATOR)[1] ?? ANYWHERE
