/** How consumers are named, and how the ones of former owners are found and deleted. */
import type { ConsumeRequest } from "../Broker.ts"
import type { Client } from "./Client.ts"
import { apiCode, isApiCode } from "./failure.ts"

/** Pages of names (1024 each) that are looked at. */
const MAX_NAMES_PAGES = 100

const NAME_PART = /^[A-Za-z0-9_-]{1,64}$/

export const isNameable = ({ entity, flow }: Pick<ConsumeRequest, "entity" | "flow">): boolean =>
  NAME_PART.test(entity) && !entity.includes("_") && NAME_PART.test(flow)

const prefixOf = (consumer: Pick<ConsumeRequest, "entity" | "flow">): string =>
  `weir_${consumer.entity}_${consumer.flow}_e`

/** Entities have no underscore and epochs are digits only: no two (entity, flow, epoch) share a name. */
export const consumerName = (consumer: Pick<ConsumeRequest, "entity" | "flow" | "epoch">): string =>
  `${prefixOf(consumer)}${consumer.epoch}`

const epochOf = (name: string, prefix: string): number | undefined => {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ""
  return /^\d+$/.test(rest) ? Number(rest) : undefined
}

/** Names alone are a small answer; the client's own listing carries every consumer's whole state. */
export const consumerNames = async (
  client: Pick<Client, "jsm" | "nc">,
  stream: string,
): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  const { apiPrefix, timeout } = client.jsm.getOptions()
  for (let page = 0; page < MAX_NAMES_PAGES; page++) {
    const answer = await client.nc.request(
      `${apiPrefix ?? "$JS.API"}.CONSUMER.NAMES.${stream}`,
      JSON.stringify({ offset: names.length }),
      { timeout: timeout ?? 5_000 },
    )
    const body = answer.json<{ readonly consumers?: ReadonlyArray<string> | null; readonly total?: number }>()
    const batch = body.consumers ?? []
    names.push(...batch)
    if (batch.length === 0 || names.length >= (body.total ?? 0)) break
  }
  return names
}

/** Deletes the consumers of this (entity, flow) whose epoch is not larger: they belong to nobody any more. */
export const deleteSuperseded = async (client: Client, stream: string, request: ConsumeRequest): Promise<void> => {
  const prefix = prefixOf(request)
  for (const name of await client.ofStream(stream).consumerNames()) {
    const epoch = epochOf(name, prefix)
    if (epoch === undefined || epoch > request.epoch) continue
    await client.jsm.consumers.delete(stream, name).catch((cause) => {
      if (!isApiCode(cause, apiCode.consumerNotFound)) throw cause
    })
  }
}
