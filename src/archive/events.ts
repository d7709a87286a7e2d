/**
 * Events of a month as lines. The ledger keeps no payload of what is settled: the stream does, and it is read once, in its
 * order; each message is looked up in the ledger. What the stream has no more keeps what became of it.
 */
import { Effect, Stream } from "effect"
import { makeDecoder } from "../actor/decode.ts"
import { Broker, type BrokerError, type StoredMessage } from "../broker/Broker.ts"
import type { Flow } from "../flow/Flow.ts"
import { Archives, type Leaver, type LeaversOfMonth } from "../ledger/Archives.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { Sequences } from "../reconcile/Sequences.ts"
import { NOBODYS } from "../replay/Examiner.ts"
import { eventLine, rowLine } from "./lines.ts"
import { pages } from "./pages.ts"
import { leisurely } from "./leisurely.ts"
import type { Line } from "./Vault.ts"

/** Messages looked up together. */
const CHUNK = 200
/** Times of storing come from the broker's servers, whose clocks differ a little. */
const CLOCKS_MILLIS = 86_400_000

type Lines = Stream.Stream<Line, BrokerError | LedgerError, Broker | Archives>

const sequenceOf = ({ row }: Leaver): number => Number(row["streamSequence"])

/** `withMessages` first: what it has found, `withoutMessages` leaves out. */
export const eventFiles = (
  leavers: LeaversOfMonth,
  flows: ReadonlyArray<Flow>,
): { readonly withMessages: Lines; readonly withoutMessages: Lines } => {
  const { entity, fromMillis, toMillis } = leavers
  const decoders = new Map(flows.map((flow) => [flow.domain, makeDecoder(flow)]))
  const nobodys = makeDecoder(NOBODYS)
  let found = new Sequences()

  const idsOf = (message: StoredMessage): ReadonlyArray<string> => {
    const decoder = decoders.get(message.subject.split(".")[2] ?? "") ?? nobodys
    const { eventId } = decoder.stored(message).event
    // A changed payload under a known id has an identity of its own.
    return [eventId, `${eventId}@${message.streamSequence}`]
  }

  const linesOf = (messages: ReadonlyArray<StoredMessage>) =>
    Effect.gen(function* () {
      const rows = yield* Archives.use((archives) => archives.byId(leavers, messages.flatMap(idsOf)))
      const bySequence = new Map(rows.map((row) => [sequenceOf(row), row]))
      return messages.flatMap((message): ReadonlyArray<Line> => {
        const row = bySequence.get(message.streamSequence)
        if (row === undefined) return []
        found.add(message.streamSequence)
        return [eventLine(message, row)]
      })
    })

  return {
    withMessages: Stream.unwrap(Effect.gen(function* () {
      found = new Sequences()
      const broker = yield* Broker
      return broker.read({ subject: `erp.${entity}.>`, fromSequence: 1, fromMillis: fromMillis - CLOCKS_MILLIS }).pipe(
        Stream.takeWhile(({ storedAtMillis }) => storedAtMillis < toMillis + CLOCKS_MILLIS),
        Stream.filter(({ storedAtMillis }) => storedAtMillis >= fromMillis && storedAtMillis < toMillis),
        Stream.grouped(CHUNK),
        Stream.mapEffect((messages) => leisurely(linesOf(messages))),
        Stream.flattenIterable,
      )
    })),
    withoutMessages: pages((after, limit) => Archives.use((archives) => archives.page(leavers, after, limit))).pipe(
      Stream.filter((row) => !found.has(sequenceOf(row))),
      Stream.map(rowLine("events")),
    ),
  }
}
