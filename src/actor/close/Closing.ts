/**
 * Whether an entity closes its books now, by its calendar or because a person says so, and what follows: in close its
 * calls to Odoo get a larger share of the database, and backfills there step back (`odoo/FairQueue.ts`).
 *
 *              first day of the calendar, or a person's word
 *     open ─────────────────────────────────────────────────► in close
 *       ▲                                                        │
 *       └──── day after the calendar's, and the person's word is over
 *
 * A person's word is an entry in the audit trail, and nothing else: the newest one counts, whoever owns the entity.
 */
import { Clock, Deferred, Duration, Effect, Latch } from "effect"
import { type Claim, Ledger, type LedgerError } from "../../ledger/Ledger.ts"
import { CallGate } from "../../odoo/CallGate.ts"
import { untilAvailable } from "../patience.ts"
import type { EntitySettings } from "../Roster.ts"
import { isInClose } from "./calendar.ts"

/** How often the calendar is looked at. */
const LOOK = Duration.seconds(30)
/** Words that may wait for the ledger. */
const MAX_WISHES = 16
const BEGUN = "close.begun"
const ENDED = "close.ended"

/** By whom and until when an entity is in close; of the calendar: `calendar`, until its days are over. */
export interface CloseStatus {
  readonly actor: string
  readonly reason: string
  readonly untilMillis: number | null
}

export interface CloseWish {
  readonly actor: string
  readonly reason: string
  /** Epoch milliseconds; null: what a person said before is over. */
  readonly untilMillis: number | null
}

export interface Closing {
  /** Never ends by itself; fails when the entity has another owner. */
  readonly run: Effect.Effect<never, LedgerError>
  /** Null: not in close. */
  readonly status: () => CloseStatus | null
  /** True when it is durable and in effect. False: the session ended before, or too many wait. */
  readonly wish: (wish: CloseWish) => Effect.Effect<boolean>
}

const CALENDAR: CloseStatus = { actor: "calendar", reason: "close calendar", untilMillis: null }

/** What the newest word in the trail says. */
const wordOf = (actor: string, action: string, detail: string): CloseStatus | null => {
  if (action !== BEGUN) return null
  const { reason, until } = JSON.parse(detail) as { readonly reason: string; readonly until: string }
  return { actor, reason, untilMillis: Date.parse(until) }
}

export const makeClosing = Effect.fnUntraced(function* (
  { close, code, database }: EntitySettings,
  claim: Claim,
  changed: (status: CloseStatus | null) => Effect.Effect<void>,
) {
  const ledger = yield* Ledger
  const gate = yield* CallGate
  const wishes: Array<{ readonly wish: CloseWish; readonly done: Deferred.Deferred<boolean> }> = []
  const wished = Latch.makeUnsafe(false)
  let word: CloseStatus | null = null
  let status: CloseStatus | null = null
  let acts = 0
  let ended = false

  const take = Effect.fnUntraced(function* (next: CloseStatus | null) {
    if (next?.actor === status?.actor && next?.untilMillis === status?.untilMillis) return
    status = next
    yield* gate.favour(database, code, next !== null)
    yield* changed(next)
    if (next === null) return yield* Effect.logInfo("out of close")
    const until = next.untilMillis === null ? "" : ` until ${new Date(next.untilMillis).toISOString()}`
    yield* Effect.logInfo(`in close${until} by ${next.actor}: ${next.reason}`)
  })

  const record = ({ actor, reason, untilMillis }: CloseWish) =>
    ledger.govern(claim, {
      entries: [{
        id: `${claim.epoch}/close-${++acts}`,
        actor,
        action: untilMillis === null ? ENDED : BEGUN,
        detail: untilMillis === null ? { reason } : { reason, until: new Date(untilMillis).toISOString() },
      }],
      incidents: [],
      outbox: [],
    }).pipe(untilAvailable("close"))

  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (word?.untilMillis != null && word.untilMillis <= now) word = null
    yield* take(word ?? (close !== undefined && isInClose(close, now) ? CALENDAR : null))
    return word?.untilMillis == null ? LOOK : Duration.min(LOOK, Duration.millis(word.untilMillis - now))
  })

  const run = Effect.gen(function* () {
    const last = yield* ledger.lastAct(code, [BEGUN, ENDED]).pipe(untilAvailable("close"))
    if (last !== null) word = wordOf(last.actor, last.action, last.detail)
    while (true) {
      Latch.closeUnsafe(wished)
      while (wishes.length > 0) {
        const { done, wish } = wishes[0]!
        yield* record(wish)
        word = wish.untilMillis === null ? null : wish
        yield* look
        wishes.shift()
        yield* Deferred.succeed(done, true)
      }
      const rest = yield* look
      yield* wished.await.pipe(Effect.timeoutOption(rest))
    }
  }).pipe(Effect.ensuring(Effect.suspend(() => {
    ended = true
    status = null
    return Effect.all([
      gate.favour(database, code, false),
      changed(null),
      ...wishes.map(({ done }) => Deferred.succeed(done, false)),
    ], { discard: true })
  })))

  const closing: Closing = {
    run,
    status: () => status,
    wish: (wish) =>
      Effect.suspend(() => {
        if (ended || wishes.length >= MAX_WISHES) return Effect.succeed(false)
        const done = Deferred.makeUnsafe<boolean>()
        wishes.push({ wish, done })
        Latch.openUnsafe(wished)
        return Deferred.await(done)
      }),
  }
  return closing
})
