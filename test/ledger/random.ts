/** Random work for a ledger: the same seed does the same. Small ranges, so that events meet often. */
import { Effect } from "effect"
import type { Publication } from "../../src/broker/Broker.ts"
import type { Fence, Ledger, Outcome } from "../../src/ledger/Ledger.ts"
import { adding, publication, telling } from "./adding.suite.ts"
import { applied, behind, duplicate, generator, mapping, parked, settlement, superseded, waiting } from "./outcomes.ts"

const flows = ["customers", "engagements", "timesheets"] as const
const ids = 60
const keys = 6

/** Seeds to run: the one in `WEIR_SEED`, else three. */
export const seedsOf = (given: string | undefined): ReadonlyArray<number> =>
  given === undefined || given === "" ? [1, 20_261_031, 77] : [Number(given)]

export const randomWork = (seed: number, steps: number) => {
  const { int, pick } = generator(seed)
  const outcome = (): Outcome => {
    const n = 1 + int(ids)
    // An event's flow, key, version and place never change: they follow from its number.
    const flow = flows[n % flows.length] ?? "customers"
    const options = { flow, key: `K${n % keys}`, version: n % 4 === 0 ? null : n % 7, attempts: 1 + int(3) }
    const id = `e${n}`
    const on = { flow: pick(flows), key: `K${int(keys * 3)}` }
    return pick<() => Outcome>([
      () => applied(id, { ...options, mapping: mapping(1 + int(9), options.version) }),
      () => superseded(id, options),
      () => duplicate(id, { ...options, streamSequence: n + ids * int(3) }),
      () => waiting(id, on, { ...options, deadlineMillis: int(1_000) }),
      () => parked(id, options),
      () => behind(id, options),
    ])()
  }
  /** Events of their own that add to few windows and tell of few records, so that they meet often. */
  const adder = (): Outcome => {
    const n = 1 + int(ids)
    const period = `P${n % 3}`
    const late = int(2) === 0 ? null : { period: "P9", closesAtMillis: 900 }
    return int(2) === 0
      ? adding(`u${n}`, pick(["1", "0.25", "-3.5"]), { series: `S${n % 2}`, period, closesAtMillis: n * 10, late })
      : telling(`i${n}`, 1 + n % 5, pick(["posted", "paid"]), n % 2 === 0 ? null : `c${n}`)
  }
  const some = <A>(most: number, make: () => A): Array<A> => Array.from({ length: int(most + 1) }, make)
  type Verb = (ledger: typeof Ledger.Service, fence: Fence) => Effect.Effect<unknown, unknown>
  const adds = (roll: number): Verb => {
    const now = int(1_000)
    const quiet = int(2) === 0 ? now : 0
    const changes = some(
      3,
      () => ({ record: 1 + int(5), content: pick(["posted", "paid"]), revision: int(4), key: null }),
    )
    const watermark = int(3) === 0 ? null : `2026-11-${10 + int(9)}`
    if (roll > 10) {
      return (ledger, fence) =>
        ledger.advance(fence, {
          feed: "invoices",
          watermark,
          changes: changes.filter((one, n) => changes.findIndex(({ record }) => record === one.record) === n)
            .map((one) => ({
              ...one,
              publication: one.revision === 3 ? null : publication(`${one.record}-${one.content}`),
            })),
        })
    }
    return (ledger, fence) =>
      ledger.dueWindows(fence, { flow: "usage", nowMillis: now, quietSinceMillis: quiet, limit: 2 }).pipe(
        Effect.tap((windows) =>
          ledger.closeWindows(
            fence,
            windows.map(({ events, period, series }) => ({
              flow: "usage",
              series,
              period,
              events,
              publication: publication(`${series}-${period}`),
            })),
          )
        ),
      )
  }
  const step = (): Verb => {
    const roll = int(13)
    if (roll >= 10) return adds(roll)
    if (roll < 7) {
      const work = settlement(
        [...some(12, outcome), ...some(3, adder)],
        int(4) === 0 ? { [pick(flows)]: int(ids * 2) } : {},
      )
      return (ledger, fence) => ledger.settle(fence, work)
    }
    const chosen = some(6, () => `e${1 + int(ids)}`)
    if (roll === 7) return (ledger, fence) => ledger.retry(fence.entity, chosen)
    if (roll === 8) return (ledger, fence) => ledger.dismiss(fence.entity, chosen.slice(0, 2), "random")
    const now = int(1_000)
    return (ledger, fence) => ledger.expire(fence, now)
  }
  return Array.from({ length: steps }, step)
}

const isFact = ({ subject }: Publication): boolean => subject.includes(".exception.")

/** A fact of an exception without what counts and what time it is. */
const timeless = ({ data, headers, messageId, subject }: Publication) => {
  const { id, time: _, ...rest } = JSON.parse(new TextDecoder().decode(data)) as {
    readonly id: string
    readonly time: string
    readonly causationid: string
    readonly source: string
  }
  return {
    ...rest,
    headers,
    subject: `${rest.causationid} ${subject.split(".").slice(2).join(".")}`,
    own: messageId === `${rest.source}#${id}`,
  }
}

/** Everything the port tells about an entity's random work. */
export const everything = (ledger: typeof Ledger.Service, fence: Fence) =>
  Effect.gen(function* () {
    const answers = yield* Effect.forEach(flows, (flow) =>
      ledger.admit(
        fence,
        flow,
        Array.from({ length: ids }, (_, n) => ({
          eventId: `e${n + 1}`,
          key: `K${(n + 1) % keys}`,
          references: [{ flow, key: `K${n % keys}` }],
        })),
      ))
    const outbox = yield* ledger.outbox(fence, 1_000)
    const exceptions = yield* ledger.exceptions({ entity: fence.entity, limit: 1_000 })
    return {
      answers,
      tallies: (yield* ledger.tallies(fence.entity)).map((tally) => ({ ...tally, entity: "" })),
      held: exceptions.map((one) => ({ ...one, entity: "" }))
        .toSorted((a, b) => a.streamSequence - b.streamSequence),
      sent: outbox.map(({ publication }) => publication).filter((one) => !isFact(one)),
      facts: outbox.map(({ publication }) => publication).filter(isFact).map(timeless)
        // A statement in the database tells of several events in an order of its own.
        .toSorted((a, b) => a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0),
      windows: yield* ledger.dueWindows(fence, {
        flow: "usage",
        nowMillis: 1_000,
        quietSinceMillis: Number.MAX_SAFE_INTEGER,
        limit: 100,
      }),
      feed: yield* ledger.feed(fence, "invoices", [1, 2, 3, 4, 5]),
      ready: yield* Effect.forEach(flows, (flow) => ledger.ready(fence, flow, 100, [])),
    }
  })
