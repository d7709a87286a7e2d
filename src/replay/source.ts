/** The messages of a run, in order: from the stream, or those that were handed in with it. */
import { Effect, Option, Stream } from "effect"
import { Broker, type BrokerError, type StoredMessage } from "../broker/Broker.ts"
import { matcher } from "../broker/memory/subject.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { type Run, type RunEvent, Runs } from "../ledger/Runs.ts"
import type { Brought } from "./Examiner.ts"
import { narrowed, type ReplayRequest, type Selection } from "./Request.ts"

/** Handed-in messages read at a time. */
const PAGE = 500

const isWithin =
  ({ fromMillis, fromSequence, toMillis, toSequence }: Selection) =>
  ({ storedAtMillis, streamSequence }: StoredMessage): boolean =>
    storedAtMillis >= (fromMillis ?? 0) && (toMillis === undefined || storedAtMillis < toMillis) &&
    streamSequence >= (fromSequence ?? 0) && (toSequence === undefined || streamSequence <= toSequence)

/** From the stream, after a position (0: all). The stream's sequence is the ordinal. */
const fromStream = (
  subject: string,
  selection: Selection,
  after: number,
): Stream.Stream<Brought, BrokerError, Broker> =>
  Stream.unwrap(Effect.map(Broker, (broker) => {
    const { fromMillis, fromSequence = 1, toMillis, toSequence } = selection
    return broker.read({
      subject,
      fromSequence: Math.max(fromSequence, after + 1),
      ...(fromMillis !== undefined && after === 0 && { fromMillis }),
    }).pipe(
      Stream.takeWhile(({ storedAtMillis, streamSequence }) =>
        (toSequence === undefined || streamSequence <= toSequence) &&
        (toMillis === undefined || storedAtMillis < toMillis)
      ),
      Stream.filter(isWithin(selection)),
      Stream.map((message): Brought => ({ ordinal: message.streamSequence, message })),
    )
  }))

/** As it was handed in. */
export const broughtOf = (event: RunEvent): ReadonlyArray<Brought> => {
  const { message, ordinal, storedAtMillis, streamSequence } = event
  return message === null ? [] : [{ ordinal, message: { ...message, storedAtMillis, streamSequence } }]
}

const fromUpload = ({ entity, runId }: Run, { selection }: ReplayRequest, after: number) => {
  const matches = matcher(narrowed(selection.subject, entity) ?? "")
  const within = isWithin(selection)
  return Stream.paginate(after, (after) =>
    Effect.map(
      Runs.use((runs) => runs.events({ entity, runId, after, limit: PAGE })),
      (events): readonly [ReadonlyArray<Brought>, Option.Option<number>] => [
        events.flatMap(broughtOf).filter(({ message }) => matches(message.subject) && within(message)),
        events.length < PAGE ? Option.none() : Option.some(events.at(-1)!.ordinal),
      ],
    ))
}

/** What is left of a run after an ordinal. */
export const sourceOf = (
  run: Run,
  request: ReplayRequest,
  after: number,
): Stream.Stream<Brought, BrokerError | LedgerError, Broker | Runs> => {
  if (request.source === "upload") return fromUpload(run, request, after)
  const subject = narrowed(request.selection.subject, run.entity)
  return subject === null ? Stream.empty : fromStream(subject, request.selection, after)
}
