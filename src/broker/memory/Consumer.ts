/**
 * One consumer in memory. A message is `pending` until it is delivered, then `in flight` until its ack; after the ack
 * wait it is delivered again. What is in flight never exceeds `maxInFlight`.
 *
 *   pending ──take──> in flight ──ack──> gone
 *                      ^   │ due: ack wait over
 *                      └───┘
 */
import { Effect } from "effect"
import type { BrokerError, ConsumeRequest, Delivery, StoredMessage } from "../Broker.ts"
import { matcher } from "./subject.ts"

/** Most messages handed over at once. */
const MAX_CHUNK = 256

interface Flight {
  readonly message: StoredMessage
  /** Epoch milliseconds of the next delivery, unless an ack comes before. */
  dueMillis: number
}

/** What a test or a simulation makes go wrong. Counters count down to zero. */
export interface Mischief {
  /** So many deliveries come twice. */
  duplicates: number
  /** So many acks get lost on the way. */
  lostAcks: number
}

export interface Consumer {
  readonly request: ConsumeRequest
  readonly pending: () => number
  /** Tells it of a stored message. */
  readonly notice: (message: StoredMessage) => void
  readonly fail: (error: BrokerError) => void
  /** From now on it delivers nothing. */
  readonly silence: () => void
  /** Waits until there is something to deliver. */
  readonly pull: Effect.Effect<readonly [Delivery, ...Array<Delivery>], BrokerError>
}

export const makeConsumer = (
  request: ConsumeRequest,
  nowMillis: () => number,
  ackWaitMillis: number,
  mischief: Mischief,
): Consumer => {
  const matches = matcher(request.subject)
  const flights = new Map<number, Flight>()
  let waiting: Array<StoredMessage> = []
  let taken = 0
  let failure: BrokerError | undefined
  /** No flight is due before; spares looking at all of them. */
  let nextDueMillis = Infinity
  let wake: (() => void) | undefined
  let silent = false

  const schedule = (flight: Flight, dueMillis: number): void => {
    flight.dueMillis = dueMillis
    nextDueMillis = Math.min(nextDueMillis, dueMillis)
  }

  const deliver = (flight: Flight, redelivered: boolean): Delivery => {
    const sequence = flight.message.streamSequence
    let acknowledged = false
    return {
      ...flight.message,
      redelivered,
      ack: () => {
        // The flight may be over already: acknowledged by another copy.
        if (acknowledged || flights.get(sequence) !== flight) return
        acknowledged = true
        if (mischief.lostAcks > 0) mischief.lostAcks--
        else flights.delete(sequence)
        wake?.()
      },
    }
  }

  const emit = (chunk: Array<Delivery>, flight: Flight, redelivered: boolean, now: number): void => {
    schedule(flight, now + ackWaitMillis)
    chunk.push(deliver(flight, redelivered))
    if (mischief.duplicates > 0) {
      mischief.duplicates--
      chunk.push(deliver(flight, true))
    }
  }

  const takeDue = (chunk: Array<Delivery>, now: number): void => {
    if (now < nextDueMillis) return
    nextDueMillis = Infinity
    for (const flight of flights.values()) {
      if (flight.dueMillis <= now && chunk.length < MAX_CHUNK) emit(chunk, flight, true, now)
      else nextDueMillis = Math.min(nextDueMillis, flight.dueMillis)
    }
  }

  const takeNew = (chunk: Array<Delivery>, now: number): void => {
    while (taken < waiting.length && flights.size < request.maxInFlight && chunk.length < MAX_CHUNK) {
      const flight: Flight = { message: waiting[taken++]!, dueMillis: Infinity }
      flights.set(flight.message.streamSequence, flight)
      emit(chunk, flight, false, now)
    }
    if (taken > MAX_CHUNK && taken * 2 > waiting.length) {
      waiting = waiting.slice(taken)
      taken = 0
    }
  }

  const woken = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
    return Effect.sync(() => {
      wake = undefined
    })
  })

  const pull: Consumer["pull"] = Effect.suspend(() => {
    if (failure !== undefined) return Effect.fail(failure)
    if (silent) return Effect.andThen(woken, pull)
    const now = nowMillis()
    const chunk: Array<Delivery> = []
    takeDue(chunk, now)
    takeNew(chunk, now)
    const [first, ...rest] = chunk
    if (first !== undefined) return Effect.succeed([first, ...rest] as const)
    const idle = nextDueMillis === Infinity ? woken : Effect.timeoutOption(woken, nextDueMillis - now)
    return Effect.andThen(idle, pull)
  })

  return {
    request,
    pull,
    pending: () => waiting.length - taken,
    notice: (message) => {
      if (message.streamSequence <= request.afterSequence || !matches(message.subject)) return
      waiting.push(message)
      wake?.()
    },
    silence: () => {
      silent = true
      wake?.()
    },
    fail: (error) => {
      failure ??= error
      wake?.()
    },
  }
}
