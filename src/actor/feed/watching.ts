/**
 * A feed of one entity, while a session lasts: sees what people change in Odoo and tells it, once, through the outbox.
 *
 *     no watermark ─► begin: what is open is noted, nothing goes out ─► watermark
 *                                                                          │
 *     ┌────────────────────────────────────────────────────────────────────┘
 *     ▼
 *     rest ─► a few pages ─► compared with what was told ─► ledger: told, outbox, watermark (fenced) ─┐
 *      ▲                                                                                              │
 *      └──────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * It is the last to be served: its calls are in the lane of backfills, it rests many times as long as its calls took, with
 * the entity's other feeds resting as well, and it steps back while others wait for Odoo. It looks at nothing while Odoo is
 * away, in mode `hold`, and while its flow is paused.
 */
import { Cause, Clock, Duration, Effect, type Semaphore } from "effect"
import type { Feed } from "../../flow/Feed.ts"
import { externalId } from "../../flow/Write.ts"
import { type Claim, Ledger } from "../../ledger/Ledger.ts"
import type { Change, FeedState } from "../../ledger/Told.ts"
import { CallGate } from "../../odoo/CallGate.ts"
import type { Company } from "../../odoo/Company.ts"
import { companyCalls } from "../../odoo/CompanyCalls.ts"
import { type Json, Odoo, type OdooError } from "../../odoo/Odoo.ts"
import { elapsedMillis } from "../../telemetry/elapsed.ts"
import type { FeedStatus } from "../Board.ts"
import { untilAvailable } from "../patience.ts"
import { changesOf, type Seen, type Stamped, unknownOf } from "./changes.ts"
import { BEGINNING, earlier, type OdooTime, Scan } from "./Scan.ts"

/** Records a page: one call of some 50 ms. */
const PAGE = 200
/** Pages between two rests. */
const PAGES = 5
/** Rests as many times as long as the calls took: at most so small a share of one of Odoo's workers. */
const RESTS = 19
/** Rounds left out, at most, while others wait for Odoo. */
const STEPS_BACK = 9
/** How long a new record is left to the flow that wrote it, which tells more of it. */
const LEAVES = Duration.seconds(30)
/** Records left to their flows that are remembered; more are told at once. */
const MAX_LEFT = 1_000

export interface FeedSettings {
  /** Rest between two rounds. Zero: no feed. */
  readonly every: Duration.Duration
  /** Longer than the longest call to Odoo, anybody's. */
  readonly overlap: Duration.Duration
}

export interface WatchingOptions {
  readonly feed: Feed
  /** Name of the flow that writes such records. */
  readonly flow: string
  readonly company: Company
  readonly settings: FeedSettings
  /** Whether it may look now. */
  readonly goesOn: () => boolean
  /** Whether others come first now, as far as the mode says. */
  readonly isStrained: () => boolean
  /** Through Odoo's circuit. */
  readonly guard: <A, R>(call: Effect.Effect<A, OdooError, R>) => Effect.Effect<A, OdooError, R>
  /** How it goes. */
  readonly tells: (status: FeedStatus) => void
  /** Something is in the outbox. */
  readonly outbox: () => void
  /** One permit for all feeds of the entity: they look, and rest for what it took, one after the other. */
  readonly turns: Semaphore.Semaphore
}

/** Never ends. Fails with `Fenced` or `Refused`. */
export const watching = Effect.fnUntraced(function* (claim: Claim, options: WatchingOptions) {
  const { company, feed, flow, settings } = options
  const ledger = yield* Ledger
  const gate = yield* CallGate
  const calls = companyCalls(yield* Odoo, gate, company, "backfill")
  const { entity } = claim
  const domain = [["company_id", "=", company.id], ...feed.domain]
  const fields = [...new Set([...feed.fields, "create_date", "write_date"])]
  const overlapMillis = Duration.toMillis(settings.overlap)
  const everyMillis = Duration.toMillis(settings.every)

  const read = (more: ReadonlyArray<Json>, order: string, limit: number) =>
    Effect.map(
      options.guard(calls.searchRead(feed.model, [...domain, ...more], fields, { order, limit })),
      (records) => records as ReadonlyArray<Stamped>,
    )

  const knownOf = Effect.fnUntraced(function* (page: ReadonlyArray<Stamped>) {
    const ids = page.map(({ id }) => id)
    const known = new Map<string, FeedState["told"]>()
    for (const { name } of feed.aspects) {
      known.set(name, (yield* ledger.feed(claim, name, ids).pipe(untilAvailable("feed"))).told)
    }
    return known
  })

  /** Keys of records of Weir's, as their external ids have them; of those that nothing is known of. */
  const keysOf = Effect.fnUntraced(function* (page: ReadonlyArray<Stamped>, known: Seen["known"]) {
    const ids = unknownOf(feed, page, known)
    const keys = new Map<number, string>()
    if (ids.length === 0) return keys
    const answer = yield* options.guard(calls.call(feed.model, "get_external_id", { ids }))
    const names = answer as { readonly [id: string]: string }
    const prefix = externalId(entity, flow, "")
    for (const id of ids) {
      const name = names[String(id)] ?? ""
      if (name.startsWith(prefix)) keys.set(id, name.slice(prefix.length))
    }
    return keys
  })

  const tell = Effect.fnUntraced(function* (changes: ReadonlyMap<string, ReadonlyArray<Change>>) {
    let sent = 0
    for (const [name, own] of changes) {
      if (own.length === 0) continue
      yield* ledger.advance(claim, { feed: name, watermark: null, changes: own }).pipe(untilAvailable("feed"))
      sent += own.filter(({ publication }) => publication !== null).length
    }
    if (sent > 0) options.outbox()
    return sent
  })

  const note = (watermark: OdooTime) =>
    ledger.advance(claim, { feed: feed.name, watermark, changes: [] }).pipe(untilAvailable("feed"))

  const look = Effect.fnUntraced(
    function* (page: ReadonlyArray<Stamped>, floor: OdooTime | null, leaves: Seen["leaves"]) {
      const known = yield* knownOf(page)
      const keys = yield* keysOf(page, known)
      const nowMillis = yield* Clock.currentTimeMillis
      const found = changesOf({ feed, entity, page, known, keys, floor, leaves, nowMillis })
      yield* tell(found.changes)
      return found.left
    },
  )

  /** Rests in between, so that a large database is begun as gently as it is watched. */
  const rest = (sinceMillis: number, leastMillis: number) =>
    Effect.flatMap(elapsedMillis, (now) => Effect.sleep(Math.max(leastMillis, (now - sinceMillis) * RESTS)))

  const begin = Effect.gen(function* () {
    const [newest] = yield* read([], "write_date desc, id desc", 1)
    const floor = newest === undefined ? BEGINNING : earlier(newest.write_date, overlapMillis)
    // Also what came to its end just now: passes look at it again.
    const noted = ["|", ["write_date", ">", floor], ...feed.open]
    for (let after = 0;;) {
      const since = yield* elapsedMillis
      const page = yield* read([...noted, ["id", ">", after]], "id", PAGE)
      yield* look(page, null, () => false)
      if (page.length < PAGE) break
      after = page.at(-1)!.id
      yield* rest(since, 0)
    }
    yield* note(floor)
    yield* Effect.logInfo(`the feed of ${feed.name} begins after ${floor}`)
    return floor
  })

  /** When a record was first left to its flow, by our own clock. */
  const left = new Map<number, number>()

  /** True: nothing is left to be looked at. */
  const round = Effect.fnUntraced(function* (scan: Scan) {
    for (let pages = 0; pages < PAGES; pages++) {
      const begun = yield* elapsedMillis
      const page = yield* read(scan.next(begun), "write_date, id", PAGE)
      const again = yield* look(page, scan.floor, ({ id }) => {
        const since = left.get(id) ?? begun
        if (begun - since >= Duration.toMillis(LEAVES) || left.size >= MAX_LEFT) return false
        left.set(id, since)
        return true
      })
      const isLast = page.length < PAGE
      const here = new Set(again.map(({ id }) => id))
      for (const { id } of page) if (!here.has(id)) left.delete(id)
      if (scan.looked(page, again, isLast, yield* elapsedMillis)) yield* note(scan.floor)
      if (isLast) return true
    }
    return false
  })

  let scan: Scan | null = null
  let seenAtMillis: number | null = null
  let steppedBack = 0
  const isBusy = Effect.map(gate.snapshot, (doors) => {
    const door = doors.find(({ database }) => database === company.database)
    return options.isStrained() || (door !== undefined && Object.values(door.waiting).some((waiting) => waiting > 0))
  })
  const turn = Effect.gen(function* () {
    if (scan === null) {
      const { watermark } = yield* ledger.feed(claim, feed.name, []).pipe(untilAvailable("feed"))
      scan = new Scan(watermark ?? (yield* begin), overlapMillis)
    }
    if (yield* round(scan)) seenAtMillis = yield* Clock.currentTimeMillis
    options.tells({ seenAtMillis, trouble: "" })
  })
  const failing = (trouble: string): void => {
    scan?.broken()
    options.tells({ seenAtMillis, trouble })
  }

  const looking = Effect.gen(function* () {
    const since = yield* elapsedMillis
    yield* turn.pipe(
      Effect.catchTag("OdooError", (error) =>
        Effect.sync(() => failing(`${error.code}: ${error.message}`)).pipe(
          Effect.andThen(Effect.logWarning(`the feed of ${feed.name} tries again later: ${error.message}`)),
        )),
      Effect.catchDefect((defect) =>
        Effect.sync(() => failing(String(defect))).pipe(
          Effect.andThen(Effect.logError(`the feed of ${feed.name} broke and begins again`, Cause.die(defect))),
        )
      ),
    )
    const spent = (yield* elapsedMillis) - since
    if (spent * RESTS > everyMillis) yield* Effect.sleep(spent * RESTS - everyMillis)
  })

  options.tells({ seenAtMillis, trouble: "" })
  while (true) {
    yield* Effect.sleep(everyMillis)
    if (!options.goesOn()) continue
    if (steppedBack < STEPS_BACK && (yield* isBusy)) {
      steppedBack++
      continue
    }
    steppedBack = 0
    yield* options.turns.withPermit(looking)
  }
})
