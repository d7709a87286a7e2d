/**
 * What no consumer would ever look at: subjects of unknown entities or of domains without a flow. They become exceptions
 * like every other event that cannot be understood, so that nothing published is ever silent. One in the whole cluster.
 */
import { Duration, Effect, Schedule, Stream } from "effect"
import { Singleton } from "effect/cluster"
import { Broker, type StoredMessage } from "../broker/Broker.ts"
import { type Claim, Ledger, type Outcome } from "../ledger/Ledger.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { digest } from "./fingerprint.ts"
import { relay } from "./outbox.ts"
import { restartBackoff, untilAvailable } from "./patience.ts"
import { Roster } from "./Roster.ts"

/** Name in the ledger; not a possible code of a legal entity. */
export const UNROUTED = "_unrouted"
/** How often the stream's subjects are compared with the roster. */
const EVERY = Duration.seconds(5)
/** Messages settled at a time. */
const PAGE = 100

export const Unrouted = Singleton.make(
  "weir/unrouted",
  Effect.gen(function* () {
    const broker = yield* Broker
    const ledger = yield* Ledger
    const { entities, flows, owner } = yield* Roster
    const domains = new Set(flows.map(({ domain }) => domain))

    /** Why nobody consumes `subject`, or null when somebody does. */
    const stray = (subject: string): { readonly code: ReasonCode; readonly detail: string } | null => {
      const [, entity = "", domain = ""] = subject.split(".")
      if (!entities.has(entity)) {
        return {
          code: "EVENT-UNKNOWN-ENTITY",
          detail: `subject ${subject}: no legal entity ${entity} in the configuration`,
        }
      }
      return domains.has(domain)
        ? null
        : { code: "EVENT-UNKNOWN-TYPE", detail: `subject ${subject}: no flow for ${domain}` }
    }

    const session = Effect.gen(function* () {
      const claim = yield* ledger.claim(UNROUTED, owner).pipe(untilAvailable("claim"))
      const checkpoints = new Map(claim.checkpoints)
      const counts = new Map<string, number>()
      const sweep = Effect.gen(function* () {
        const subjects = yield* broker.subjects("erp.>").pipe(untilAvailable("subjects"))
        for (const [subject, count] of subjects) {
          const reason = stray(subject)
          if (reason === null || counts.get(subject) === count) continue
          const flow = subject.replace(/[^A-Za-z0-9_-]/gu, "-")
          yield* broker.read({ subject, fromSequence: (checkpoints.get(flow) ?? 0) + 1 }).pipe(
            Stream.grouped(PAGE),
            Stream.runForEach((messages) =>
              Effect.gen(function* () {
                const last = messages[messages.length - 1]!.streamSequence
                yield* settleAll(claim, flow, messages, reason, last)
                checkpoints.set(flow, last)
              })
            ),
            untilAvailable("unrouted"),
          )
          counts.set(subject, count)
        }
        // Others are told that they are exceptions, and that people dismissed them.
        yield* relay(claim)
      })
      yield* sweep.pipe(Effect.repeat(Schedule.spaced(EVERY)))
    })

    const settleAll = (
      claim: Claim,
      flow: string,
      messages: ReadonlyArray<StoredMessage>,
      reason: { readonly code: ReasonCode; readonly detail: string },
      last: number,
    ) =>
      ledger.settle(claim, {
        outcomes: messages.map((message): Outcome => ({
          _tag: "Parked",
          ...reason,
          message: { subject: message.subject, headers: message.headers, data: message.data },
          event: {
            eventId: `stream#${message.streamSequence}`,
            type: "unknown",
            flow,
            key: `stream-${message.streamSequence}`,
            version: null,
            streamSequence: message.streamSequence,
            storedAtMillis: message.storedAtMillis,
            payloadHash: digest(message.data),
            correlationId: null,
            attempts: 1,
          },
        })),
        checkpoints: new Map([[flow, last]]),
      }).pipe(untilAvailable("settle"))

    yield* session.pipe(
      Effect.tapCause((cause) => Effect.logError("looking for unrouted subjects failed and starts again", cause)),
      Effect.sandbox,
      Effect.retry(restartBackoff),
      Effect.catch((cause) => Effect.failCause(cause)),
      Effect.annotateLogs({ entity: UNROUTED }),
    )
  }),
)
