/** What is published is the fault. */
import { again, type FlowName, type Message } from "../../../fixtures/generator/Message.ts"
import type { Random } from "../../../fixtures/generator/Random.ts"
import type { ReasonCode } from "../../../src/reason/Reason.ts"
import type { Fault } from "./Fault.ts"

/** Part of all sound messages that comes twice. */
const DOUBLED = 0.35
/** Bytes: below what `nats-server` takes by default. */
const LARGE = 900_000
/** Levels of nesting, deeper than a program's stack. */
const DEEP = 20_000
const DAY = 86_400_000

const isSound = ({ body, fact }: Message): boolean => body._tag === "Envelope" && fact.flaw === null

/** Where the order of publication decides what becomes of a message: its key, or itself when it has none. */
const lineOf = ({ fact }: Message): string => `${fact.entity}/${fact.flow}/${fact.key ?? fact.identity}`

/**
 * All messages in random order, references after what refers to them and versions of a customer anyhow; what comes twice
 * comes anywhere. Only keys with a flawed message keep their order: which of two contradicting ones counts is the first.
 */
const disordered = (messages: ReadonlyArray<Message>, random: Random): ReadonlyArray<Message> => {
  const doubled = messages.flatMap((message, index) =>
    isSound(message) && random.chance(DOUBLED) ? [message, again(message, DAY + index)] : [message]
  )
  const places = doubled.map((_, index) => ({ index, at: random.bits() })).sort((left, right) => left.at - right.at)
  const lines = Map.groupBy(places, ({ index }) => lineOf(doubled[index]!))
  const order = new Array<Message>(doubled.length)
  const positions = new Map(places.map((place, position) => [place.index, position]))
  for (const line of lines.values()) {
    const indices = line.map(({ index }) => index)
    const free = indices.every((index) => doubled[index]!.fact.version !== null && doubled[index]!.fact.flaw === null)
    const slots = indices.map((index) => positions.get(index)!)
    const into = free ? slots : slots.toSorted((left, right) => left - right)
    const from = free ? indices : indices.toSorted((left, right) => left - right)
    from.forEach((index, nth) => order[into[nth]!] = doubled[index]!)
  }
  return order
}

const nested = `${"[".repeat(DEEP)}${"]".repeat(DEEP)}`
const envelope = (id: string, type: string, data: string) =>
  `{"specversion":"1.0","id":"${id}","source":"//poison","type":"${type}","data":${data}}`

/** Bytes that make naive programs fall over, by the flow that gets them. */
const poisons: ReadonlyArray<readonly [FlowName, string, ReasonCode, (nth: string) => string]> = [
  ["customers", "customer.upserted", "EVENT-NOT-JSON", (nth) => `empty handed ${nth}`],
  ["customers", "customer.upserted", "EVENT-NOT-CLOUDEVENT", (nth) => `[null, ${JSON.stringify(nth)}]`],
  [
    "customers",
    "customer.upserted",
    "EVENT-NOT-CLOUDEVENT",
    (nth) => envelope(`deep-${nth}`, "customer.upserted", nested),
  ],
  ["timesheets", "timesheet.approved", "EVENT-NOT-JSON", (nth) => `${nth}${"[".repeat(DEEP)}`],
  ["timesheets", "timesheet.approved", "EVENT-TOO-LARGE", (nth) => `${nth}${"A".repeat(LARGE)}`],
  ["invoices", "invoice.requested", "EVENT-NOT-CLOUDEVENT", (nth) => `{"__proto__":{"id":"${nth}"},"id":7}`],
  [
    "invoices",
    "invoice.requested",
    "EVENT-NOT-CLOUDEVENT",
    (nth) => envelope(`deep-${nth}`, "invoice.requested", nested),
  ],
  [
    "invoices",
    "invoice.requested",
    "EVENT-INVALID",
    (nth) => envelope(`nul-${nth}`, "invoice.requested", `{"key":"\\u0000","constructor":null,"lines":1e400}`),
  ],
  ["payments", "payment.received", "EVENT-INVALID", (nth) => envelope(`lone-${nth}`, "payment.received", `"\\ud800"`)],
]

/** Each poison once for every entity, between the sound messages. */
const poisoned = (messages: ReadonlyArray<Message>, random: Random): ReadonlyArray<Message> => {
  const entities = [...new Set(messages.filter(isSound).map(({ fact }) => fact.entity))]
  const all = [...messages]
  for (const entity of entities) {
    for (const [index, [flow, subject, flaw, bytes]] of poisons.entries()) {
      const identity = `poison-${entity}-${index}`
      all.splice(random.int(0, all.length), 0, {
        at: 0,
        subject: `erp.${entity}.${subject}`,
        body: { _tag: "Raw", bytes: bytes(identity) },
        fact: { entity, flow, identity, key: null, version: null, references: [], flaw, effect: null },
      })
    }
  }
  return all
}

export const input: ReadonlyArray<Fault> = [
  {
    name: "twice-and-disordered",
    what: "a third of all messages published twice, the month in random order",
    arrange: disordered,
    telling: { twice: true },
  },
  {
    name: "poison",
    what: "bytes between the events that are no JSON, no CloudEvent, 900 kB large, 20 000 levels deep",
    arrange: poisoned,
    telling: { poisoned: true },
  },
]
