/** Short ways to say outcomes in the ledger's tests. */
import type { Message } from "../../src/broker/Broker.ts"
import type { ReasonCode } from "../../src/reason/Reason.ts"
import type { EventRecord, Mapping, Outcome, Reference, Settlement } from "../../src/ledger/Ledger.ts"

export interface EventOptions {
  readonly flow?: string
  readonly key?: string
  readonly version?: number | null
  readonly streamSequence?: number
  readonly attempts?: number
}

const bytes = new TextEncoder()

/** Position in the stream told by the id's digits, so that tests read in stream order: `e12` is message 12. */
export const event = (eventId: string, options: EventOptions = {}): EventRecord => {
  const streamSequence = options.streamSequence ?? Number(eventId.replace(/\D/gu, "") || "1")
  return {
    eventId,
    type: "customer.upserted",
    flow: options.flow ?? "customers",
    key: options.key ?? "CUS-1",
    version: options.version ?? null,
    streamSequence,
    storedAtMillis: 1_000 + streamSequence,
    payloadHash: `hash-of-${eventId}`,
    correlationId: null,
    attempts: options.attempts ?? 1,
  }
}

export const message = (eventId: string): Message => ({
  subject: "erp.be01.customer.upserted",
  headers: { "nats-msg-id": eventId },
  data: bytes.encode(`payload of ${eventId}`),
})

export const mapping = (id: number, version: number | null = null): Mapping => ({
  model: "res.partner",
  id,
  externalId: `weir_be01.customers_${id}`,
  version,
  links: {},
})

export const applied = (eventId: string, options: EventOptions & { readonly mapping?: Mapping } = {}): Outcome => ({
  _tag: "Applied",
  event: event(eventId, options),
  mapping: options.mapping ?? mapping(7, options.version ?? null),
  outbox: [],
})

export const superseded = (eventId: string, options: EventOptions = {}): Outcome => ({
  _tag: "Superseded",
  event: event(eventId, options),
})

export const duplicate = (eventId: string, options: EventOptions = {}): Outcome => ({
  _tag: "Duplicate",
  event: event(eventId, options),
})

export const waiting = (
  eventId: string,
  on: Reference,
  options: EventOptions & { readonly deadlineMillis?: number } = {},
): Outcome => ({
  _tag: "Waiting",
  event: event(eventId, options),
  message: message(eventId),
  on,
  deadlineMillis: options.deadlineMillis ?? 9_000_000,
  detail: `waits for ${on.flow}/${on.key}`,
})

export const parked = (
  eventId: string,
  options: EventOptions & { readonly code?: ReasonCode; readonly detail?: string } = {},
): Outcome => ({
  _tag: "Parked",
  event: event(eventId, options),
  message: message(eventId),
  code: options.code ?? "ODOO-VALIDATION",
  detail: options.detail ?? "no",
})

export const behind = (eventId: string, options: EventOptions = {}): Outcome => ({
  _tag: "Behind",
  event: event(eventId, options),
  message: message(eventId),
})

export const settlement = (
  outcomes: ReadonlyArray<Outcome>,
  checkpoints: Readonly<Record<string, number>> = {},
): Settlement => ({ outcomes, checkpoints: new Map(Object.entries(checkpoints)) })

/** A small deterministic generator (mulberry32): the same seed, the same run. */
export const generator = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number): number => Math.floor(next() * below)
  const pick = <A>(items: readonly [A, ...Array<A>]): A => items[int(items.length)] ?? items[0]
  return { next, int, pick }
}
