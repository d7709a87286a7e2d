/** The lines of a scenario, one after the other, with what the lab has to know of each. */
import { Result } from "effect"
import { createReadStream } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Scenario } from "../../../fixtures/scenario.ts"
import { catalog } from "../../../streams/catalog.ts"
import { makeDecoder } from "../../actor/decode.ts"
import type { Publication } from "../../broker/Broker.ts"
import type { Reference } from "../../ledger/Ledger.ts"
import { makeLineReader } from "../eventLine.ts"

export interface Posting {
  readonly publication: Publication
  /** Milliseconds of the scenario. */
  readonly atMillis: number
  /** Null for what cannot be understood. */
  readonly event: {
    readonly entity: string
    readonly flow: string
    readonly key: string
    readonly references: ReadonlyArray<Reference>
  } | null
}

/** `run` tells this replay's messages from those of any other: the broker remembers message ids for minutes. */
export async function* postings(scenario: Scenario, run: string): AsyncGenerator<Posting> {
  const read = makeLineReader({ entity: null, entities: new Set(), flows: catalog, unchecked: true })
  const decoders = new Map(catalog.map((flow) => [flow.domain, { name: flow.name, decoder: makeDecoder(flow) }]))
  const path = join(scenario.folder, "events.ndjson")
  let number = 0
  let atMillis = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    number++
    if (line.trim() === "") continue
    const parsed = read(line)
    if (Result.isFailure(parsed)) throw new Error(`${path}:${number}: ${parsed.failure}`)
    const { publication } = parsed.success
    // A line that says nothing comes right after the one before.
    atMillis = parsed.success.atMillis ?? atMillis
    const messageId = `${scenario.expected.scenario}-${run}-${number}`
    yield { publication: { ...publication, messageId }, atMillis, event: eventOf(publication, decoders) }
  }
}

const eventOf = (
  publication: Publication,
  decoders: ReadonlyMap<string, { readonly name: string; readonly decoder: ReturnType<typeof makeDecoder> }>,
): Posting["event"] => {
  const [, entity = "", domain = ""] = publication.subject.split(".")
  const flow = decoders.get(domain)
  if (flow === undefined) return null
  const { payload } = flow.decoder.held({
    eventId: publication.messageId,
    flow: flow.name,
    key: "",
    streamSequence: 0,
    storedAtMillis: 0,
    attempts: 0,
    message: publication,
  })
  return payload === null
    ? null
    : { entity, flow: flow.name, key: payload.spec.key(payload.data), references: payload.references }
}
