/**
 * Who has nothing to deliver needs no consumer. It costs the broker a file, a filter over every message, a heartbeat and an
 * open request, and there is one for each flow of each entity: of two hundred entities most of 3 400 are quiet.
 *
 *     quiet ──► listens on the subject ──► is there something after the checkpoint? ──yes──► awake
 *                      │                            │ no
 *                      │ a message goes by          └──► every `SWEEP`: did the stream's count of the subject change?
 *                      └──────────────────────────────────► awake
 *
 * The plain subscription is fast and proves nothing: a stream that is fed by another one says nothing on the subject, and
 * between servers an interest takes its time. So the stream itself is asked, once for all that are quiet. What both miss
 * (one message came while one expired) the actor's watchdog finds.
 */
import { errors, type Subscription } from "@nats-io/transport-node"
import { Deferred, Effect, Latch, type Scope } from "effect"
import { BrokerError, type ConsumeRequest } from "../Broker.ts"
import { attempt, type Client } from "./Client.ts"
import { consumerName } from "./consumerName.ts"
import { apiCode, failureOf, isApiCode } from "./failure.ts"
import { lastOf } from "./read.ts"
import { together } from "./together.ts"

/** How often the stream is asked about all that are quiet. */
const SWEEP = "5 seconds"

/** What the stream holds, at one moment. */
interface Holdings {
  readonly lastSequence: number
  /** Messages under a pattern; null when its wildcards are others than one `>` at the end. */
  readonly count: (pattern: string) => number | null
}

interface Quiet {
  readonly request: ConsumeRequest
  /** Messages under the subject when nothing lay after the sequence; null while that is not known. */
  count: number | null
  readonly bell: Deferred.Deferred<void, BrokerError>
}

/** `subjects`: messages of each. */
const countOf = (subjects: Readonly<Record<string, number>>): Holdings["count"] => {
  const below = new Map<string, number>()
  for (const [subject, count] of Object.entries(subjects)) {
    for (let dot = subject.indexOf("."); dot >= 0; dot = subject.indexOf(".", dot + 1)) {
      const start = subject.slice(0, dot)
      below.set(start, (below.get(start) ?? 0) + count)
    }
  }
  return (pattern) => {
    const start = pattern.endsWith(".>") ? pattern.slice(0, -2) : pattern
    if (/[*>]/u.test(start)) return null
    return (start === pattern ? subjects[start] : below.get(start)) ?? 0
  }
}

/**
 * A stream that ends before `afterSequence` has lost its end or is another one. Its next messages get numbers that count
 * as settled, and a consumer would skip them without a word.
 */
const cutShort = (stream: string, end: number, { afterSequence, entity, flow }: ConsumeRequest): BrokerError =>
  new BrokerError({
    reason: "Refused",
    operation: "consume",
    message: `stream ${stream} ends at ${end}, but ${entity} ${flow} is settled up to ${afterSequence}: the ` +
      "stream was lost, replaced or restored, and its new events would be skipped. Restore the stream; or stop " +
      "Weir, delete the rows of weir.checkpoint and start it: events that are settled are recognised.",
  })

export class Doorbell {
  readonly #client: Client
  readonly #stream: string
  readonly #quiet = new Map<string, Quiet>()
  readonly #again = Latch.makeUnsafe(false)
  #mayListen = true

  /** Asked once for all who want to know. */
  readonly #holdings: () => Promise<Holdings>

  constructor(client: Client, stream: string) {
    this.#client = client
    this.#stream = stream
    this.#holdings = together(async () => {
      const { state } = await client.jsm.streams.info(stream, { subjects_filter: ">" })
      return { lastSequence: state.last_seq, count: countOf(state.subjects ?? {}) }
    })
  }

  /** Whether quiet ones may listen. Where the broker forbids it, everybody has a consumer for good. */
  get mayListen(): boolean {
    return this.#mayListen
  }

  /** Whether nothing lies after what the consumer of that name has brought, as far as is known. */
  isQuiet(name: string): boolean {
    return (this.#quiet.get(name)?.count ?? null) !== null
  }

  /**
   * Returns as soon as there may be something to deliver. Fails with `Refused` when the stream ends before `afterSequence` or
   * is gone.
   */
  rings(request: ConsumeRequest): Effect.Effect<void, BrokerError> {
    const quiet: Quiet = { request, count: null, bell: Deferred.makeUnsafe() }
    const looks = attempt(this.#client, "consume", async () => this.#look(quiet, await this.#holdings()))
    return Effect.scoped(Effect.gen({ self: this }, function* () {
      if (this.#mayListen) yield* this.#listens(quiet)
      yield* looks
      // By now the broker may have said that nobody is to listen.
      if (!this.#mayListen) ring(quiet)
      yield* Deferred.await(quiet.bell)
    }))
  }

  /** Asks the stream about all that are quiet, for ever. A broker that does not answer proves nothing. */
  readonly sweeping: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    const askAgain = () => Latch.openUnsafe(this.#again)
    this.#client.onReconnect.add(askAgain)
    while (true) {
      yield* Effect.raceFirst(Effect.sleep(SWEEP), this.#again.await)
      Latch.closeUnsafe(this.#again)
      if (this.#quiet.size === 0) continue
      yield* Effect.ignore(
        attempt(this.#client, "consume", () => this.#sweep()),
        { log: "Debug", message: "the stream does not say what it holds" },
      )
    }
  })

  #listens(quiet: Quiet): Effect.Effect<void, never, Scope.Scope> {
    const name = consumerName(quiet.request)
    return Effect.asVoid(Effect.acquireRelease(
      Effect.sync((): Subscription | null => {
        this.#quiet.set(name, quiet)
        try {
          return this.#client.nc.subscribe(quiet.request.subject, {
            max: 1,
            callback: (error) => error === null ? ring(quiet) : this.#deaf(error),
          })
        } catch {
          // The connection is closed or closing: what is asked next says so.
          return null
        }
      }),
      (subscription) =>
        Effect.sync(() => {
          if (this.#quiet.get(name) === quiet) this.#quiet.delete(name)
          subscription?.unsubscribe()
        }),
    ))
  }

  /** The broker does not let us listen: everybody gets up. */
  #deaf(error: Error): void {
    if (error instanceof errors.PermissionViolationError) this.#mayListen = false
    for (const quiet of this.#quiet.values()) ring(quiet)
  }

  async #look(quiet: Quiet, holdings: Holdings): Promise<void> {
    const { afterSequence, subject } = quiet.request
    if (holdings.lastSequence < afterSequence) {
      const failure = cutShort(this.#stream, holdings.lastSequence, quiet.request)
      return void Deferred.doneUnsafe(quiet.bell, Effect.fail(failure))
    }
    const count = holdings.count(subject)
    if (count !== 0 && (count === null || count !== quiet.count)) {
      if (await lastOf(this.#client, subject) > afterSequence) return ring(quiet)
    }
    quiet.count = count ?? -1
  }

  async #sweep(): Promise<void> {
    let holdings: Holdings
    try {
      holdings = await this.#holdings()
    } catch (cause) {
      if (!isApiCode(cause, apiCode.streamNotFound)) throw cause
      const failure = failureOf("consume", true)(cause)
      for (const { bell } of this.#quiet.values()) Deferred.doneUnsafe(bell, Effect.fail(failure))
      return
    }
    for (const quiet of [...this.#quiet.values()]) await this.#look(quiet, holdings)
  }
}

const ring = ({ bell }: Quiet): void => void Deferred.doneUnsafe(bell, Effect.void)
