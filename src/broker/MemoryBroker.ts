/**
 * The broker in memory, for tests and simulations: the same contract, no process, no socket, and no time but Effect's
 * clock. `BrokerFaults` makes it misbehave the way a real one does.
 */
import { Clock, Context, Duration, Effect, Layer, Stream } from "effect"
import { Broker, type BrokerDescription, BrokerError, type ConsumeRequest } from "./Broker.ts"
import { type Consumer, makeConsumer, type Mischief } from "./memory/Consumer.ts"
import { type Log, makeLog } from "./memory/Log.ts"
import { matcher } from "./memory/subject.ts"

/** A NATS server's default `max_payload`. */
const MAX_PAYLOAD_BYTES = 1024 * 1024

export interface MemoryBrokerOptions {
  /** Until a message without ack is delivered again. Default 1 day, as with JetStream. */
  readonly ackWait?: Duration.Input
  /** How long message ids are known. Default 2 minutes. */
  readonly duplicateWindow?: Duration.Input
}

export type BrokerOperation =
  | "describe"
  | "provision"
  | "publish"
  | "consume"
  | "backlog"
  | "read"
  | "lastSequence"
  | "subjects"

/** What can go wrong with a broker. Each takes effect at once. */
export class BrokerFaults extends Context.Service<BrokerFaults, {
  /** The next `times` (default 1) calls of this operation fail. */
  readonly failNext: (
    operation: BrokerOperation,
    options?: { readonly reason?: BrokerError["reason"]; readonly times?: number },
  ) => Effect.Effect<void>
  /** False: every call fails with `Unreachable` and open consumers with `Interrupted`, until it is true again. */
  readonly setReachable: (reachable: boolean) => Effect.Effect<void>
  /** Open consumers, all or one entity's, lose their connection: they fail with `Interrupted`. */
  readonly interruptConsumers: (entity?: string) => Effect.Effect<void>
  /**
   * Open consumers, all or one entity's, deliver nothing more and say nothing about it, as if all were well: only a fresh
   * consumer delivers.
   */
  readonly silenceConsumers: (entity?: string) => Effect.Effect<void>
  /** The next `count` deliveries come twice. */
  readonly duplicateDeliveries: (count: number) => Effect.Effect<void>
  /** The next `count` acks get lost: those messages come again after the ack wait. */
  readonly loseAcks: (count: number) => Effect.Effect<void>
  /** The next `count` calls of `publish` store everything and fail with `Unreachable` all the same. */
  readonly loseConfirmations: (count: number) => Effect.Effect<void>
}>()("weir/broker/BrokerFaults") {}

const make = (options: MemoryBrokerOptions) => {
  const ackWaitMillis = Duration.toMillis(Duration.fromInputUnsafe(options.ackWait ?? "1 day"))
  const windowMillis = Duration.toMillis(Duration.fromInputUnsafe(options.duplicateWindow ?? "2 minutes"))
  const incoming = makeLog("ERP", windowMillis)
  const outgoing = makeLog("ERP_OUT", windowMillis)
  const consumers = new Set<Consumer>()
  const mischief: Mischief & { lostConfirmations: number } = { duplicates: 0, lostAcks: 0, lostConfirmations: 0 }
  const planned = new Map<BrokerOperation, { reason: BrokerError["reason"]; times: number }>()
  let provisioned = false
  let reachable = true

  const error = (reason: BrokerError["reason"], operation: string, message: string) =>
    new BrokerError({ reason, operation, message })
  const logOf = (subject: string): Log => subject.startsWith("erp-out.") ? outgoing : incoming

  /** Runs a call, unless a fault or a missing stream makes it fail. */
  const call = <A>(operation: BrokerOperation, body: (nowMillis: number) => A): Effect.Effect<A, BrokerError> =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
      const fault = planned.get(operation)
      if (fault !== undefined && fault.times > 0) {
        fault.times--
        return Effect.fail(error(fault.reason, operation, "scripted fault"))
      }
      if (!reachable) return Effect.fail(error("Unreachable", operation, "the broker is away"))
      if (!provisioned && operation !== "provision") {
        return operation === "publish"
          ? Effect.fail(error("Unreachable", operation, "no stream answers on this subject yet"))
          : Effect.fail(error("Refused", operation, "stream not found. Provision the streams first."))
      }
      return Effect.try({
        try: () => body(nowMillis),
        catch: (cause) => cause instanceof BrokerError ? cause : error("Refused", operation, String(cause)),
      })
    })

  const interrupt = (filter: (consumer: ConsumeRequest) => boolean, message: string): void => {
    for (const consumer of consumers) {
      if (!filter(consumer.request)) continue
      consumers.delete(consumer)
      consumer.fail(error("Interrupted", "consume", message))
    }
  }

  const open = Effect.fnUntraced(function* (request: ConsumeRequest) {
    const clock = yield* Clock.Clock
    return yield* Effect.acquireRelease(
      call("consume", () => {
        if (!(request.maxInFlight > 0)) throw error("Refused", "consume", "maxInFlight must be 1 or more")
        const { entity, epoch, flow } = request
        interrupt(
          (other) => other.entity === entity && other.flow === flow && other.epoch <= epoch,
          `epoch ${epoch} took over`,
        )
        const consumer = makeConsumer(request, () => clock.currentTimeMillisUnsafe(), ackWaitMillis, mischief)
        for (const message of logOf(request.subject).messages) consumer.notice(message)
        consumers.add(consumer)
        return consumer
      }),
      (consumer) => Effect.sync(() => consumers.delete(consumer)),
    )
  })

  const broker = Broker.of({
    describe: call("describe", (): BrokerDescription => ({
      server: "memory",
      version: "0.0.0",
      jetstream: true,
      stream: {
        name: incoming.name,
        messages: incoming.messages.length,
        bytes: incoming.bytes(),
        firstSequence: incoming.messages.length === 0 ? 0 : 1,
        lastSequence: incoming.messages.length,
        storage: "memory",
        replicas: 1,
      },
    })),
    provision: call("provision", () => {
      provisioned = true
    }),
    publish: (publications) =>
      call("publish", (nowMillis) => {
        const published = publications.map((publication) => {
          if (publication.data.length > MAX_PAYLOAD_BYTES) {
            throw error("Refused", "publish", `a message of ${publication.data.length} bytes is too large`)
          }
          const log = logOf(publication.subject)
          const answer = log.append(publication, nowMillis)
          const stored = log.messages[answer.streamSequence - 1]
          if (!answer.duplicate && stored !== undefined) { for (const consumer of consumers) consumer.notice(stored) }
          return answer
        })
        if (mischief.lostConfirmations > 0) {
          mischief.lostConfirmations--
          throw error("Unreachable", "publish", "the confirmation got lost")
        }
        return published
      }),
    consume: (request) =>
      Stream.unwrap(Effect.map(open(request), (consumer) => Stream.fromPull(Effect.succeed(consumer.pull)))),
    backlog: ({ afterSequence, entity, epoch, flow, subject }) =>
      call("backlog", () => {
        for (const { pending, request } of consumers) {
          if (request.entity === entity && request.flow === flow && request.epoch === epoch) return pending()
        }
        const matches = matcher(subject)
        return logOf(subject).messages.slice(afterSequence).filter((message) => matches(message.subject)).length
      }),
    read: ({ fromMillis = 0, fromSequence, subject }) =>
      Stream.unwrap(call("read", () => {
        const matches = matcher(subject)
        const from = Math.max(0, fromSequence - 1)
        return Stream.fromArray(
          logOf(subject).messages.slice(from).filter((message) =>
            message.storedAtMillis >= fromMillis && matches(message.subject)
          ),
        )
      })),
    lastSequence: (subject) =>
      call("lastSequence", () => {
        const matches = matcher(subject)
        return logOf(subject).messages.findLast((message) => matches(message.subject))?.streamSequence ?? 0
      }),
    subjects: (pattern) =>
      call("subjects", () => {
        const matches = matcher(pattern)
        const counts = new Map<string, number>()
        for (const { subject } of logOf(pattern).messages) {
          if (matches(subject)) counts.set(subject, (counts.get(subject) ?? 0) + 1)
        }
        return counts
      }),
  })

  const faults = BrokerFaults.of({
    failNext: (operation, { reason = "Unreachable", times = 1 } = {}) =>
      Effect.sync(() => void planned.set(operation, { reason, times })),
    setReachable: (value) =>
      Effect.sync(() => {
        reachable = value
        if (!value) interrupt(() => true, "the broker is away")
      }),
    interruptConsumers: (entity) =>
      Effect.sync(() => interrupt((consumer) => entity === undefined || consumer.entity === entity, "connection lost")),
    silenceConsumers: (entity) =>
      Effect.sync(() => {
        for (const consumer of consumers) {
          if (entity === undefined || consumer.request.entity === entity) consumer.silence()
        }
      }),
    duplicateDeliveries: (count) => Effect.sync(() => void (mischief.duplicates += count)),
    loseAcks: (count) => Effect.sync(() => void (mischief.lostAcks += count)),
    loseConfirmations: (count) => Effect.sync(() => void (mischief.lostConfirmations += count)),
  })
  return Context.make(Broker, broker).pipe(Context.add(BrokerFaults, faults))
}

/** A fresh, empty broker, to be provisioned like a real one. */
export const layer = (options: MemoryBrokerOptions = {}): Layer.Layer<Broker | BrokerFaults> =>
  Layer.effectContext(Effect.sync(() => make(options)))
