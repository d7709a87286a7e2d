/** What lies in the stream, with what the plan knows about each message. */
import type { StoredMessage } from "../../../src/broker/Broker.ts"
import type { EventRecord } from "../../../src/ledger/Ledger.ts"
import type { Inspection } from "../../../src/ledger/MemoryLedger.ts"
import type { Json } from "../../../src/odoo/Odoo.ts"
import type { Fact, Posting } from "../plan/Fact.ts"
import type { Place } from "../plan/Place.ts"

export interface Stored {
  readonly sequence: number
  readonly fact: Fact
  /** Identity in the ledger: of its own when another payload came before under the event's. */
  readonly eventId: string
  /** The same event came before. */
  readonly duplicate: boolean
}

export class Knowledge {
  readonly #facts: ReadonlyMap<string, Fact>
  readonly #companies: ReadonlyMap<number, string>
  readonly #stored: Array<Stored> = []
  /** First fact of each identity. */
  readonly #first = new Map<string, Fact>()
  /** By the facts' own flow and key. */
  readonly #byKey = new Map<string, Fact>()

  constructor(postings: ReadonlyArray<Posting>, places: ReadonlyArray<Place>) {
    this.#facts = new Map(postings.map(({ fact, publication }) => [publication.messageId, fact]))
    this.#companies = new Map(places.map(({ company, entity }) => [company, entity]))
    for (const { fact } of postings) this.#byKey.set(`${fact.entity} ${fact.flow} ${fact.key}`, fact)
  }

  /** The stream as it is; index is sequence - 1. */
  get stored(): ReadonlyArray<Stored> {
    return this.#stored
  }

  /** To be called for every message of the stream, in order. */
  store({ headers, streamSequence }: StoredMessage): void {
    const fact = this.#facts.get(headers["nats-msg-id"] ?? "")
    if (fact === undefined) throw new Error(`the stream holds a message that nobody published: ${streamSequence}`)
    const eventId = fact.eventId ?? `stream#${streamSequence}`
    const identity = `${fact.entity} ${eventId}`
    const first = this.#first.get(identity)
    if (first === undefined) this.#first.set(identity, fact)
    const changed = first !== undefined && first.payload !== fact.payload
    this.#stored.push({
      sequence: streamSequence,
      fact,
      eventId: changed ? `${eventId}@${streamSequence}` : eventId,
      duplicate: first !== undefined && !changed,
    })
  }

  factOf(entity: string, flow: string, key: string): Fact | undefined {
    return this.#byKey.get(`${entity} ${flow} ${key}`)
  }

  entityOf(context: { readonly [name: string]: Json }): string {
    const companies = context["allowed_company_ids"]
    const [company] = Array.isArray(companies) ? companies as ReadonlyArray<Json> : []
    return this.#companies.get(Number(company)) ?? "?"
  }

  *sequences(entity: string, flow: string, after: number, upTo: number): Iterable<number> {
    for (let at = after; at < Math.min(upTo, this.#stored.length); at++) {
      const { fact, sequence } = this.#stored[at]!
      if (fact.entity === entity && fact.flow === flow) yield sequence
    }
  }

  /** What lies before an event in the stream under its key, and is not newer by its version. */
  *before(entity: string, { flow, key, streamSequence, version }: EventRecord): Iterable<Stored> {
    for (let at = 0; at < streamSequence - 1; at++) {
      const stored = this.#stored[at]!
      const { fact } = stored
      if (fact.entity !== entity || fact.flow !== flow || fact.key !== key) continue
      if ((fact.version ?? 0) <= (version ?? 0)) yield stored
    }
  }

  /** Whether the ledger has an outcome for the message: of its own, or that of the same event before it. */
  isSettled({ events }: Inspection, sequence: number): boolean {
    const stored = this.#stored[sequence - 1]
    if (stored === undefined) return false
    return events.some(({ record: { eventId } }) => eventId === stored.eventId)
  }
}
