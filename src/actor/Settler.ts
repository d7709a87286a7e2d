/**
 * Last stage: outcomes become durable, then the broker hears of it. One settlement at a time per entity; what arrives
 * while one is under way goes into the next (group commit), over all flows.
 */
import { Deferred, Effect, Queue } from "effect"
import { type Claim, Ledger, type LedgerError, type Outcome } from "../ledger/Ledger.ts"
import type { Checkpoint } from "./Checkpoint.ts"
import type { Item } from "./Item.ts"
import { timed } from "../telemetry/Metrics.ts"
import { untilAvailable } from "./patience.ts"

/** Requests that one ledger transaction takes at most. */
const GROUP = 16
/** Requests that may wait; beyond it the pumps wait. */
const WAITING = 64

export interface Request {
  readonly flow: string
  readonly items: ReadonlyArray<Item>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly checkpoint: Checkpoint
}

interface Waiting {
  readonly request: Request
  readonly done: Deferred.Deferred<void, LedgerError>
}

export interface Settler {
  /** Returns when the outcomes are durable and the broker has been told. Fails when the entity has another owner. */
  readonly settle: (request: Request) => Effect.Effect<void, LedgerError>
  /** Does the work; fails for good with `Fenced` or `Refused`. */
  readonly run: Effect.Effect<never, LedgerError>
}

export interface SettlerHooks {
  /** Held events became ready. */
  readonly released: () => void
  /** Outbox rows were written. */
  readonly outbox: () => void
  /** The request is durable. */
  readonly settled: (request: Request) => Effect.Effect<void>
}

/** It publishes something, or is an exception that others are told of. */
const isTold = (outcome: Outcome): boolean =>
  outcome._tag === "Parked" || (outcome._tag === "Applied" && outcome.outbox.length > 0)

/** Handed back by the ledger: if it was an exception, it is none any more. */
const isHeld = ({ delivery }: Item): boolean => delivery === null

export const makeSettler = Effect.fnUntraced(function* (claim: Claim, hooks: SettlerHooks) {
  const ledger = yield* Ledger
  const queue = yield* Queue.bounded<Waiting>(WAITING)

  const commit = Effect.fnUntraced(function* (requests: ReadonlyArray<Request>) {
    const outcomes: Array<Outcome> = []
    const checkpoints = new Map<string, number>()
    for (const { checkpoint, flow, items, outcomes: own } of requests) {
      for (const outcome of own) outcomes.push(outcome)
      for (const { delivery } of items) if (delivery !== null) checkpoint.settled(delivery.streamSequence)
      checkpoints.set(flow, Math.max(checkpoint.value, checkpoints.get(flow) ?? 0))
    }
    // One try is never cut, or what it decided would be unknown. The wait between two tries may be.
    const settled = yield* ledger.settle(claim, { outcomes, checkpoints }).pipe(
      Effect.uninterruptible,
      timed("settle"),
      untilAvailable("settle"),
    )
    for (const request of requests) {
      for (const { delivery } of request.items) delivery?.ack()
      yield* hooks.settled(request)
    }
    if (settled.released > 0) hooks.released()
    if (outcomes.some(isTold) || requests.some(({ items }) => items.some(isHeld))) hooks.outbox()
  })

  const run = Effect.gen(function* () {
    while (true) {
      const waiting = yield* Queue.takeBetween(queue, 1, GROUP)
      yield* commit(waiting.map(({ request }) => request)).pipe(
        Effect.onExit((exit) => Effect.forEach(waiting, ({ done }) => Deferred.done(done, exit), { discard: true })),
      )
    }
  })

  const settle = Effect.fnUntraced(function* (request: Request) {
    const done = yield* Deferred.make<void, LedgerError>()
    yield* Queue.offer(queue, { request, done })
    yield* Deferred.await(done)
  })

  const settler: Settler = { settle, run }
  return settler
})
