/** Events of the ledger that the stream does not have any more, although it holds older ones. */
import { Effect } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import { Broker } from "../broker/Broker.ts"
import { Recall } from "../ledger/Recall.ts"
import type { Proof } from "./Proof.ts"

/** Events of the ledger read at a time. */
const RECALLED = 5_000

export const overLedger = Effect.fnUntraced(function* (proof: Proof, toMillis: number) {
  const { accounts, entity, fromMillis, noted, sequences } = proof
  const recall = yield* Recall
  const { stream } = yield* Broker.use((broker) => broker.describe).pipe(untilAvailable("reconciliation"))
  /** Between what the stream still holds and what was read of it. */
  const isHeld = (sequence: number): boolean => sequence >= stream.firstSequence && sequence <= sequences.last
  for (let after = "";;) {
    const page = yield* recall.events({ entity, fromMillis, toMillis, after, limit: RECALLED }).pipe(
      untilAvailable("reconciliation"),
    )
    for (const event of page) {
      const { eventId, flow, streamSequence } = event
      // What has an identity of its own beside another event's is that event's message.
      const isOwn = streamSequence > 0 && !eventId.endsWith(`@${streamSequence}`)
      if (!accounts.has(flow) || !isOwn || !isHeld(streamSequence) || sequences.has(streamSequence)) continue
      noted("stream-lost", flow, event, { state: event.state })
    }
    after = page.at(-1)?.eventId ?? after
    if (page.length < RECALLED) return
  }
})
