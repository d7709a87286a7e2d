/**
 * The pass over the stream: every message of the period, by the day that its flow says, against the ledger and Odoo. In
 * bounded memory but for one number per message. A chunk is looked at first and counted then: while something is away it
 * is looked at again, and counted once.
 */
import { Effect, Stream } from "effect"
import { makeDecoder } from "../actor/decode.ts"
import type { Item } from "../actor/Item.ts"
import { untilAvailable } from "../actor/patience.ts"
import { Broker, type StoredMessage } from "../broker/Broker.ts"
import type { Control } from "../flow/Flow.ts"
import { Recall, type Recollection } from "../ledger/Recall.ts"
import { nameOf } from "./Account.ts"
import { besideLive, CHUNK } from "../runs/resting.ts"
import { countStanding, lookAtRecords, type Standing } from "./inOdoo.ts"
import type { Proof } from "./Proof.ts"

/** A message of the period, and what the ledger knows of its event. */
interface Counted {
  readonly message: StoredMessage
  readonly item: Item
  readonly control: Control
  readonly known: Recollection | undefined
}

const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

const controlOf = (item: Item, message: StoredMessage): Control =>
  item.payload?.spec.control?.(item.payload.data) ??
    { day: dayOf(message.storedAtMillis), amounts: {}, currency: null }

/** The ledger has its event by another message. */
const isRepetition = ({ known, message }: Counted): boolean =>
  known !== undefined && known.streamSequence !== message.streamSequence && known.streamSequence > 0

/** What the event says, and what the ledger says of it. */
const countEvent = ({ accounts, checkpoints, noted }: Proof, counted: Counted): void => {
  const { control, item: { event }, known, message } = counted
  const account = accounts.get(event.flow)!
  account.arrived(message.streamSequence)
  for (const field in control.amounts) account.said.add(nameOf(control, field), control.amounts[field]!)
  if (known === undefined) {
    const coming = event.streamSequence > (checkpoints.get(event.flow) ?? 0)
    account.states[coming ? "coming" : "missing"]++
    if (!coming) noted("ledger-missing", event.flow, event, {})
  } else if (isRepetition(counted)) {
    account.duplicates++
    if (known.payloadHash !== event.payloadHash) noted("payload", event.flow, event, { ledger: known.payloadHash })
  } else {
    account.streamHash.add(event.eventId, event.payloadHash)
    account.ledgerHash.add(known.eventId, known.payloadHash)
    account.became(known.state)
  }
}

/** False: somebody has ended the run. */
export const overStream = Effect.fnUntraced(function* (proof: Proof) {
  const { count, entity, examiner, first, flows, fromMillis, last, sequences, tell } = proof
  const broker = yield* Broker
  const recall = yield* Recall
  const decoders = new Map(flows.map((flow) => [flow.domain, makeDecoder(flow)]))

  const selected = (messages: ReadonlyArray<StoredMessage>) =>
    messages.flatMap((message) => {
      const item = decoders.get(message.subject.split(".")[2] ?? "")?.stored(message)
      if (item === undefined) return []
      const control = controlOf(item, message)
      return control.day < first || control.day > last ? [] : [{ message, item, control }]
    })

  const looked = Effect.fnUntraced(function* (messages: ReadonlyArray<StoredMessage>) {
    const own = selected(messages)
    if (own.length === 0) return { counted: [], standing: [] }
    const known = yield* recall.byId(entity, own.map(({ item }) => item.event.eventId))
    const byId = new Map(known.map((one) => [one.eventId, one]))
    const counted = own.map((one): Counted => ({ ...one, known: byId.get(one.item.event.eventId) }))
    const applied = counted.filter((one) => one.known?.state === "applied" && !isRepetition(one))
    const standing: ReadonlyArray<Standing> = yield* lookAtRecords(proof, applied)
    return { counted, standing }
  })

  const chunk = Effect.fnUntraced(function* (messages: ReadonlyArray<StoredMessage>) {
    const { counted, standing } = yield* looked(messages).pipe(untilAvailable("reconciliation"))
    for (const { streamSequence } of messages) sequences.add(streamSequence)
    for (const one of counted) countEvent(proof, one)
    for (const one of standing) countStanding(proof, one)
    count.seen += messages.length
    count.selected += counted.length
    return yield* tell
  })

  let goesOn = true
  // After trouble with the broker it goes on where it stood.
  yield* Stream.suspend(() =>
    broker.read({
      subject: `erp.${entity}.>`,
      fromSequence: sequences.last + 1,
      ...(sequences.last === 0 && { fromMillis }),
    })
  ).pipe(
    Stream.grouped(CHUNK),
    Stream.mapEffect((messages) => examiner.look.inTurn(besideLive(chunk(messages)))),
    Stream.takeWhile((told) => goesOn = told),
    Stream.runDrain,
    untilAvailable("reconciliation"),
  )
  return goesOn
})
