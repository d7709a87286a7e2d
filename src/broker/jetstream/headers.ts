/** Headers as the port wants them: lower-case names, the first value of each. */
import type { MsgHdrs } from "@nats-io/transport-node"

/** Names that were seen, with their lower-case form: there are few, and lower-casing each again costs. */
const names = new Map<string, string>()
const MAX_NAMES = 1_000

const lowerCase = (name: string): string => {
  const known = names.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (names.size < MAX_NAMES) names.set(name, lower)
  return lower
}

export const recordOf = (headers: MsgHdrs | undefined): Record<string, string> => {
  const record: Record<string, string> = {}
  if (headers === undefined) return record
  for (const [name, values] of headers) {
    const value = values[0]
    const lower = lowerCase(name)
    if (value !== undefined && record[lower] === undefined) record[lower] = value
  }
  return record
}
