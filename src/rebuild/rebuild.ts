/**
 * An empty ledger, reconstructed from the stream and from the external ids in Odoo. Nothing is written to Odoo and nothing
 * is told to others; what cannot be told from what stands is left to the flows, whose plans find it there.
 *
 *     stream ─► versions of each key          (first pass)
 *     stream ─► groups in which nobody refers to another ─► looked at ─┬─► stands, done: settled as applied
 *                                                                      └─► else: left, the checkpoint stays below it
 *
 * The entity must be drained and its ledger must know nothing. A rebuild that dies is not taken up again: the entity's
 * flows begin where it stopped, and come to the same.
 */
import { Effect, Schema, Stream } from "effect"
import { makeDecoder } from "../actor/decode.ts"
import type { Item } from "../actor/Item.ts"
import { untilAvailable } from "../actor/patience.ts"
import { Roster } from "../actor/Roster.ts"
import { Broker, type StoredMessage } from "../broker/Broker.ts"
import type { Flow } from "../flow/Flow.ts"
import { Ledger, type Outcome } from "../ledger/Ledger.ts"
import { type Run, type RunEvent, Runs } from "../ledger/Runs.ts"
import type { Company } from "../odoo/Company.ts"
import { type Examined, makeExaminer } from "../replay/Examiner.ts"
import { detailOf } from "../replay/Finding.ts"
import { recordedOf, Versions } from "./recorded.ts"

/** Messages read together, and events settled together at most. */
const CHUNK = 500
/** Events that are left which are kept one by one; all are counted. */
const MAX_KEPT = 10_000

export class RebuildRefused extends Schema.TaggedError<RebuildRefused>()("RebuildRefused", {
  message: Schema.String,
}) {
  readonly isRetryable = false
}

interface Placed {
  readonly message: StoredMessage
  readonly item: Item
}

/** Neighbours none of which refers to what another one of them became, nor shares its key. */
const groupsOf = (placed: ReadonlyArray<Placed>): ReadonlyArray<ReadonlyArray<Placed>> => {
  const groups: Array<Array<Placed>> = []
  let keys = new Set<string>()
  for (const one of placed) {
    const { event, payload } = one.item
    const name = `${event.flow} ${event.key}`
    const own = [name, ...(payload?.references ?? []).map(({ flow, key }) => `${flow} ${key.split(".")[0]}`)]
    if (groups.length === 0 || own.some((key) => keys.has(key))) {
      groups.push([one])
      keys = new Set()
    } else groups.at(-1)!.push(one)
    keys.add(name).add(`${event.flow} ${event.key.split(".")[0]}`)
  }
  return groups
}

/** Where a flow's settlements stand. */
interface Progress {
  last: number
  firstLeft: number
  recorded: number
  superseded: number
  left: number
}

export const rebuild = Effect.fn("Rebuild.run")(function* (run: Run, company: Company, flows: ReadonlyArray<Flow>) {
  const { entity, runId } = run
  const [broker, ledger, runs] = [yield* Broker, yield* Ledger, yield* Runs]
  const { owner } = yield* Roster
  const available = untilAvailable("rebuild")
  const tallies = yield* ledger.tallies(entity).pipe(available)
  const known = tallies.find((tally) =>
    tally.checkpoint + tally.applied + tally.superseded + tally.duplicate + tally.waiting + tally.parked > 0
  )
  if (known !== undefined) {
    return yield* new RebuildRefused({
      message: `the ledger knows events of ${entity} (${known.flow}): only an empty one is rebuilt`,
    })
  }
  // From here on nobody else settles for the entity: whoever takes it up ends this.
  const claim = yield* ledger.claim(entity, owner).pipe(available)
  const decoders = new Map(flows.map((flow) => [flow.domain, makeDecoder(flow)]))
  const examiner = yield* makeExaminer(company, flows, { subject: `erp.${entity}.>` }, null)
  const versions = new Versions()
  const progress = new Map(
    flows.map(({ name }): [string, Progress] => [
      name,
      { last: 0, firstLeft: Infinity, recorded: 0, superseded: 0, left: 0 },
    ]),
  )
  let [seen, kept] = [0, 0]

  const placedIn = (messages: ReadonlyArray<StoredMessage>): ReadonlyArray<Placed> =>
    messages.flatMap((message) => {
      const item = decoders.get(message.subject.split(".")[2] ?? "")?.stored(message)
      return item === undefined ? [] : [{ message, item }]
    })

  /** Over the whole stream, after trouble with the broker on from where it stood. */
  const overStream = <E extends { readonly message: string; readonly isRetryable: boolean }, R>(
    visit: (messages: ReadonlyArray<StoredMessage>) => Effect.Effect<boolean, E, R>,
  ) => {
    let position = 0
    return Stream.suspend(() => broker.read({ subject: `erp.${entity}.>`, fromSequence: position + 1 })).pipe(
      Stream.grouped(CHUNK),
      Stream.mapEffect((messages) =>
        Effect.tap(visit(messages), () => Effect.sync(() => position = messages.at(-1)!.streamSequence))
      ),
      Stream.takeWhile((goesOn) => goesOn),
      Stream.runDrain,
      available,
    )
  }

  const leave = ({ finding, item: { event } }: Examined): RunEvent => ({
    ordinal: event.streamSequence,
    eventId: event.eventId,
    type: event.type,
    flow: event.flow,
    key: event.key,
    streamSequence: event.streamSequence,
    storedAtMillis: event.storedAtMillis,
    finding: finding.class,
    detail: detailOf(finding),
    message: null,
    outcome: null,
  })

  const group = Effect.fnUntraced(function* (placed: ReadonlyArray<Placed>) {
    const examined = yield* examiner.examine(
      placed.map(({ message }) => ({ ordinal: message.streamSequence, message })),
    ).pipe(available)
    const outcomes: Array<Outcome> = []
    const left: Array<RunEvent> = []
    for (const one of examined) {
      const own = progress.get(one.item.event.flow)!
      const recorded = recordedOf(one, versions)
      own.last = one.item.event.streamSequence
      if (recorded === "known") continue
      if (recorded === null) {
        own.left++
        own.firstLeft = Math.min(own.firstLeft, own.last)
        if (kept++ < MAX_KEPT) left.push(leave(one))
      } else {
        own[recorded._tag === "Superseded" ? "superseded" : "recorded"]++
        outcomes.push(recorded)
      }
    }
    yield* ledger.settle(claim, { outcomes, checkpoints: new Map() }).pipe(available)
    yield* runs.keep(entity, runId, left).pipe(available)
  })

  const totals = () =>
    Object.fromEntries(
      [...progress].filter(([, { last }]) => last > 0).map(([flow, { left, recorded, superseded }]) => [
        flow,
        { recorded, superseded, left },
      ]),
    )

  yield* overStream((messages) =>
    Effect.sync(() => {
      for (const { item } of placedIn(messages)) versions.add(item)
      return true
    })
  )
  let goesOn = true
  yield* overStream(Effect.fnUntraced(function* (messages: ReadonlyArray<StoredMessage>) {
    for (const placed of groupsOf(placedIn(messages))) yield* group(placed)
    seen += messages.length
    const change = { progress: { seen }, totals: totals() }
    goesOn = (yield* runs.change(entity, runId, ["examining"], change).pipe(available)) !== null
    return goesOn
  }))
  if (!goesOn) return
  const checkpoints = new Map(
    [...progress].flatMap(([flow, { firstLeft, last }]) => {
      const checkpoint = Math.min(last, firstLeft - 1)
      return checkpoint > 0 ? [[flow, checkpoint] as const] : []
    }),
  )
  yield* ledger.settle(claim, { outcomes: [], checkpoints }).pipe(available)
  yield* runs.change(entity, runId, ["examining"], {
    state: "done",
    totals: totals(),
    result: { entity, messages: seen, checkpoints: Object.fromEntries(checkpoints) },
  }).pipe(available)
})
