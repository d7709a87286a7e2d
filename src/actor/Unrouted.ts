/**
 * What no consumer would ever look at: subjects of unknown entities, of domains without a flow, of flows that an entity
 * does not take. They become exceptions like every other event that cannot be understood, so that nothing published is
 * ever silent. One in the whole cluster.
 *
 * An entity or flow that was served and left the configuration: what it has settled is no stray, so its subjects are read
 * from its own checkpoint, and only after `LEFT`, when whoever had it has finished.
 */
import { Duration, Effect, Schedule, Stream } from "effect"
import { Singleton } from "effect/cluster"
import { Broker, type StoredMessage } from "../broker/Broker.ts"
import { partsOf, subjectOf } from "../flow/Flow.ts"
import { type Claim, Ledger, type Outcome } from "../ledger/Ledger.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { elapsedMillis } from "../telemetry/elapsed.ts"
import { digest } from "./fingerprint.ts"
import { relay } from "./outbox.ts"
import { restartBackoff, untilAvailable } from "./patience.ts"
import { flowsOf, Roster } from "./Roster.ts"

/** Name in the ledger; not a possible code of a legal entity. */
export const UNROUTED = "_unrouted"
/** How often the stream's subjects are compared with the roster. */
const EVERY = Duration.seconds(5)
/** How long whoever served a subject may take to finish once it left the configuration. */
const LEFT = Duration.minutes(1)
/** Messages settled at a time. */
const PAGE = 100

/**
 * The name under which a subject's checkpoint and exceptions stand, one for each subject: `erp.be01.weather.changed` is
 * `erp-be01-weather-changed`, and whatever is neither letter, digit, underscore nor dot stands as its code.
 */
export const lineOf = (subject: string): string =>
  subject.replaceAll(/[^A-Za-z0-9_.]/gu, (character) => `~${character.codePointAt(0)!.toString(16)}~`)
    .replaceAll(".", "-")

export const Unrouted = Singleton.make(
  "weir/unrouted",
  Effect.gen(function* () {
    const broker = yield* Broker
    const ledger = yield* Ledger
    const roster = yield* Roster
    const flowOf = new Map(roster.flows.map((flow) => [flow.domain, flow]))

    /** Why nobody consumes `subject`, or null when somebody does. */
    const stray = (subject: string): { readonly code: ReasonCode; readonly detail: string } | null => {
      const { domain, entity, event } = partsOf(subject)
      const settings = roster.entities.get(entity)
      if (settings === undefined) {
        return {
          code: "EVENT-UNKNOWN-ENTITY",
          detail: `subject ${subject}: no legal entity ${entity} in the configuration`,
        }
      }
      const flow = flowOf.get(domain)
      if (flow === undefined) {
        return { code: "EVENT-UNKNOWN-TYPE", detail: `subject ${subject}: no flow for ${domain}` }
      }
      if (event === "") {
        return {
          code: "EVENT-UNKNOWN-TYPE",
          detail: `subject ${subject}: the event is missing (${subjectOf(entity, flow).replace(">", "<event>")})`,
        }
      }
      return flowsOf([flow], settings).length === 1 ? null : {
        code: "EVENT-UNKNOWN-TYPE",
        detail: `subject ${subject}: ${entity} does not take ${flow.name} (entities.${entity}.flows)`,
      }
    }

    /** The checkpoint that the subject's own flow has reached; null when it never had an owner. */
    const servedUntil = Effect.fnUntraced(function* (subject: string) {
      const { domain, entity, event } = partsOf(subject)
      const flow = flowOf.get(domain)
      if (flow === undefined || event === "" || !(yield* ledger.owners).some((owner) => owner.entity === entity)) {
        return null
      }
      const tallies = yield* ledger.tallies(entity)
      return tallies.find((tally) => tally.flow === flow.name)?.checkpoint ?? null
    }, untilAvailable("tallies"))

    const session = Effect.gen(function* () {
      const claim = yield* ledger.claim(UNROUTED, roster.owner).pipe(untilAvailable("claim"))
      const checkpoints = new Map(claim.checkpoints)
      const counts = new Map<string, number>()
      /** Since when the subjects are nobody's. */
      const strays = new Map<string, number>()
      const sweep = Effect.gen(function* () {
        const subjects = yield* broker.subjects("erp.>").pipe(untilAvailable("subjects"))
        for (const [subject, count] of subjects) {
          const reason = stray(subject)
          if (reason === null) {
            strays.delete(subject)
            counts.delete(subject)
          }
          if (reason === null || counts.get(subject) === count) continue
          const now = yield* elapsedMillis
          const since = strays.get(subject) ?? now
          strays.set(subject, since)
          const served = yield* servedUntil(subject)
          if (served !== null && now - since < Duration.toMillis(LEFT)) continue
          const flow = lineOf(subject)
          yield* broker.read({ subject, fromSequence: Math.max(checkpoints.get(flow) ?? 0, served ?? 0) + 1 }).pipe(
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
