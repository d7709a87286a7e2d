/**
 * Where the events of replays enter a flow, beside what the stream and the ledger bring. Whoever offers one learns what
 * became of it: its outcome once that is durable, or that the flow stopped before there was one.
 *
 *     offer ─► waits for room ─► take ─► in the flow ─┬─► settled
 *                    │                                └─► abandoned (the flow stopped, or crashed)
 *                    └─► withdrawn: abandoned
 */
import { Effect, Queue } from "effect"
import type { Outcome } from "../ledger/Ledger.ts"
import type { Item } from "./Item.ts"

/** Events that wait to be taken in; who offers more waits. */
export const INLET_CAPACITY = 200

export interface Inlet {
  /** Returns when it waits to be taken in. Where no flow runs, what was offered waits for the next one. */
  readonly offer: (item: Item) => Effect.Effect<void>
  readonly take: (atMost: number) => Effect.Effect<ReadonlyArray<Item>>
  /** Outcomes of items, in the same order. */
  readonly settled: (items: ReadonlyArray<Item>, outcomes: ReadonlyArray<Outcome>) => void
  /** The flow ends: of what it had taken in nothing became. */
  readonly abandon: () => void
  /** Whoever offered takes back what no flow has taken in. */
  readonly withdraw: Effect.Effect<void>
}

export const makeInlet: Effect.Effect<Inlet> = Effect.gen(function* () {
  const queue = yield* Queue.bounded<Item>(INLET_CAPACITY)
  const taken = new Set<Item>()
  return {
    offer: (item) => Effect.asVoid(Queue.offer(queue, item)),
    // What is taken is noted before anything can interrupt.
    take: (atMost) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.tap(
          restore(Queue.takeBetween(queue, 1, atMost)),
          (items) => Effect.sync(() => items.forEach((item) => taken.add(item))),
        )
      ),
    settled: (items, outcomes) =>
      items.forEach((item, index) => {
        taken.delete(item)
        item.replay?.settled(outcomes[index]!)
      }),
    abandon: () => {
      for (const item of taken) item.replay?.abandoned()
      taken.clear()
    },
    withdraw: Queue.clear(queue).pipe(
      Effect.map((items) => items.forEach((item) => item.replay?.abandoned())),
      Effect.catch(() => Effect.void),
    ),
  }
})
