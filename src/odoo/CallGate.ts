/**
 * Who may call Odoo now. Per database: at most its share of Odoo's workers at once, adapted to Odoo's latency
 * (`AdaptiveLimit.ts`); at most so many calls a second; and a waiting room from which critical lanes overtake bulk ones
 * without starving them (`FairQueue.ts`).
 *
 *   run ──► waits in its lane ──(limit, rate)──► runs ──► answer: the limit learns, the next one starts
 *              │ full: ODOO-UNAVAILABLE            │
 *              └ interrupted: leaves               └ interrupted: gives its place back
 *
 * A write plan is several calls, one after the other. The place of a critical one is kept for a moment, so that the plan
 * waits once behind what runs already, and not before each of its calls.
 *
 * The state is plain and changed between two awaits only, so it needs no lock.
 */
import { Clock, Context, Duration, Effect, Exit, Layer, Option } from "effect"
import type { Lane } from "../flow/Flow.ts"
import { elapsedMillisOf } from "../telemetry/elapsed.ts"
import { AdaptiveLimit } from "./AdaptiveLimit.ts"
import { FairQueue, lanes } from "./FairQueue.ts"
import { OdooError } from "./Odoo.ts"

export interface GateDatabase {
  /** HTTP workers that this Odoo runs. */
  readonly workers: number
  /** Fraction of them that Weir may keep busy, above 0, at most 1; it comes to at least one call at once. */
  readonly share: number
  /** Most calls started in a second. Default 0: no limit. */
  readonly callsPerSecond?: number
}

export interface GateOptions {
  /** By the name that `weir.json` gives the database. */
  readonly databases: ReadonlyMap<string, GateDatabase>
  /** Most callers that wait per database; more are refused with `ODOO-UNAVAILABLE`. Default 10 000. */
  readonly maxWaiting?: number
}

export const DEFAULT_MAX_WAITING = 10_000

/** How long a critical call's place is kept for the next call of its plan: there is only computing in between. */
const KEPT_MILLIS = 10
/** Turns' worth that the critical lane may be ahead of its share in this way: one plan of eight calls. */
const AHEAD = 1

export interface Caller {
  readonly lane: Lane
  readonly entity: string
  /** `<model>/<method>`: latencies are compared within it. Left out: with all others that leave it out. */
  readonly operation?: string
  /** Records or rows in the call. Default 1. Latencies are compared within a factor of two. */
  readonly size?: number
}

export interface GateSnapshot {
  readonly database: string
  /** Most calls at once that the configuration allows. */
  readonly cap: number
  /** Most calls at once now, 1 to `cap`. */
  readonly limit: number
  readonly running: number
  readonly waiting: Readonly<Record<Lane, number>>
  /** Entities that close their books: they get a larger share. */
  readonly favoured: ReadonlyArray<string>
}

interface Waiter {
  /** Wakes it; does nothing before it sleeps. */
  admit: () => void
  running: boolean
  startedAtMillis: number
  inFlight: number
}

/** One database's door. */
class Door {
  cap: number
  readonly limit: AdaptiveLimit
  readonly queue = new FairQueue<Waiter>()
  running = 0
  /** Between the starts of two calls, 0 without a rate. */
  intervalMillis: number
  nextStartMillis = 0
  /** Places that are kept for the critical lane. */
  readonly kept = new Set<symbol>()
  /** A timer is set that opens the door when the rate allows the next call. */
  timer = false

  readonly #database: GateDatabase

  constructor(database: GateDatabase) {
    this.#database = database
    this.cap = this.#capOf(1)
    this.intervalMillis = this.#intervalOf(1)
    this.limit = new AdaptiveLimit(this.cap)
  }

  /** So many processes call this Odoo: each keeps to its part. */
  divide(parties: number): void {
    this.cap = this.#capOf(parties)
    this.limit.setCap(this.cap)
    this.intervalMillis = this.#intervalOf(parties)
  }

  #capOf(parties: number): number {
    const { share, workers } = this.#database
    return Math.max(1, Math.floor(workers * share / parties))
  }

  #intervalOf(parties: number): number {
    const { callsPerSecond = 0 } = this.#database
    return callsPerSecond <= 0 ? 0 : 1000 * parties / callsPerSecond
  }

  /** Lets in whom it can. Answers how long to wait before the rate lets in the next one; 0 when it is not the rate. */
  open(nowMillis: number): number {
    while (this.running + this.kept.size < this.limit.value && this.queue.size > 0) {
      if (this.intervalMillis > 0) {
        if (nowMillis < this.nextStartMillis) return this.nextStartMillis - nowMillis
        this.nextStartMillis = Math.max(nowMillis, this.nextStartMillis) + this.intervalMillis
      }
      this.#start(this.queue.take()!, nowMillis)
    }
    return 0
  }

  /** Keeps a place that is free now, unless somebody critical waits for one anyway. */
  keep(): symbol | null {
    const isFree = this.running + this.kept.size < this.limit.value
    // Who may not call often has other reasons to wait than a missing place.
    if (!isFree || this.intervalMillis > 0 || !this.queue.isDue("critical", AHEAD)) return null
    const place = Symbol("kept")
    this.kept.add(place)
    return place
  }

  /** Starts who is critical on a place that was kept; false: there is none. */
  return(waiter: Waiter, nowMillis: number): boolean {
    const [place] = this.kept
    if (place === undefined || this.running >= this.limit.value) return false
    this.kept.delete(place)
    this.queue.charge("critical")
    this.#start(waiter, nowMillis)
    return true
  }

  #start(waiter: Waiter, nowMillis: number): void {
    waiter.running = true
    waiter.startedAtMillis = nowMillis
    waiter.inFlight = ++this.running
    waiter.admit()
  }
}

const troubles: ReadonlySet<string> = new Set(["ODOO-CONTENTION", "ODOO-NO-ANSWER", "ODOO-UNAVAILABLE"])

/** Calls of one operation whose sizes are within a factor of two are of one kind. */
const kindOf = ({ operation, size }: Caller): string =>
  operation === undefined ? "" : `${operation} ${Math.ceil(Math.log2(Math.max(1, size ?? 1)))}`

export class CallGate extends Context.Service<CallGate, {
  /**
   * Runs `effect`, one call to Odoo, when it is its caller's turn. Interruptible while it waits and while it runs.
   * `ODOO-UNAVAILABLE` when too many wait already; `ODOO-REFUSED-CALL` when no such database is configured.
   */
  readonly run: <A, R>(
    database: string,
    caller: Caller,
    effect: Effect.Effect<A, OdooError, R>,
  ) => Effect.Effect<A, OdooError, R>
  /** How many processes call a database, this one included: each keeps to its part of share and rate, one call at least. */
  readonly divide: (database: string, parties: number) => Effect.Effect<void>
  /** Whether an entity gets a larger share of its database, and backfills there step back. */
  readonly favour: (database: string, entity: string, favoured: boolean) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<ReadonlyArray<GateSnapshot>>
}>()("weir/odoo/CallGate") {}

const refusal = (code: "ODOO-UNAVAILABLE" | "ODOO-REFUSED-CALL", { operation }: Caller, message: string) =>
  new OdooError({ code, operation: operation ?? "call", message })

const noop = (): void => {}

export const make = Effect.fnUntraced(function* (options: GateOptions) {
  const scope = yield* Effect.scope
  const maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING
  const doors = new Map([...options.databases].map(([name, database]) => [name, new Door(database)]))

  /** Opens the door now, and again when the rate allows. */
  const open = (door: Door, clock: Clock.Clock): Effect.Effect<void> => {
    const pause = door.open(elapsedMillisOf(clock))
    if (pause === 0 || door.timer) return Effect.void
    door.timer = true
    return Effect.sleep(Duration.millis(Math.ceil(pause))).pipe(
      Effect.andThen(Effect.suspend(() => {
        door.timer = false
        return open(door, clock)
      })),
      Effect.forkIn(scope),
      Effect.asVoid,
    )
  }

  /** Keeps a critical call's place for a moment. */
  const keep = (door: Door, clock: Clock.Clock): Effect.Effect<void> => {
    const place = door.keep()
    return place === null ? Effect.void : Effect.sleep(KEPT_MILLIS).pipe(
      Effect.andThen(Effect.suspend(() => door.kept.delete(place) ? open(door, clock) : Effect.void)),
      Effect.forkIn(scope),
      Effect.asVoid,
    )
  }

  const leave = (door: Door, clock: Clock.Clock, caller: Caller, waiter: Waiter, exit: Exit.Exit<unknown, OdooError>) =>
    Effect.suspend(() => {
      const nowMillis = elapsedMillisOf(clock)
      door.running--
      if (Exit.isSuccess(exit)) {
        door.limit.answered({
          kind: kindOf(caller),
          startedAtMillis: waiter.startedAtMillis,
          endedAtMillis: nowMillis,
          inFlight: waiter.inFlight,
        })
      } else if (Option.exists(Exit.findErrorOption(exit), (error) => troubles.has(error.code))) {
        door.limit.troubled(waiter.startedAtMillis, nowMillis)
      }
      return caller.lane === "critical" ? Effect.andThen(keep(door, clock), open(door, clock)) : open(door, clock)
    })

  const pass = <A, R>(door: Door, clock: Clock.Clock, caller: Caller, effect: Effect.Effect<A, OdooError, R>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const waiter: Waiter = { admit: noop, running: false, startedAtMillis: 0, inFlight: 0 }
        if (caller.lane !== "critical" || !door.return(waiter, clock.currentTimeMillisUnsafe())) {
          door.queue.add(caller.lane, caller.entity, waiter)
        }
        const admitted = Effect.callback<void>((resume) => {
          if (waiter.running) resume(Effect.void)
          else waiter.admit = () => resume(Effect.void)
        })
        return open(door, clock).pipe(
          Effect.andThen(Effect.exit(restore(admitted))),
          Effect.flatMap((exit): Effect.Effect<A, OdooError, R> => {
            if (Exit.isSuccess(exit)) {
              return Effect.onExit(restore(effect), (exit) => leave(door, clock, caller, waiter, exit))
            }
            // Interrupted: maybe just after the door had let it in.
            if (waiter.running) {
              return Effect.andThen(leave(door, clock, caller, waiter, exit), Effect.failCause(exit.cause))
            }
            door.queue.remove(caller.lane, caller.entity, waiter)
            return Effect.failCause(exit.cause)
          }),
        )
      })
    )

  return CallGate.of({
    run: <A, R>(database: string, caller: Caller, effect: Effect.Effect<A, OdooError, R>) =>
      Clock.clockWith((clock): Effect.Effect<A, OdooError, R> => {
        const door = doors.get(database)
        if (door === undefined) {
          return Effect.fail(refusal(
            "ODOO-REFUSED-CALL",
            caller,
            `weir.json names no Odoo database "${database}". Add it under databases.`,
          ))
        }
        if (door.queue.size >= maxWaiting) {
          return Effect.fail(refusal(
            "ODOO-UNAVAILABLE",
            caller,
            `${door.queue.size} calls wait for Odoo already. If it lasts, raise the database's share or give Odoo workers.`,
          ))
        }
        return pass(door, clock, caller, effect)
      }),
    divide: (database, parties) => Effect.sync(() => doors.get(database)?.divide(Math.max(1, parties))),
    favour: (database, entity, favoured) => Effect.sync(() => doors.get(database)?.queue.favour(entity, favoured)),
    snapshot: Effect.sync(() =>
      [...doors].map(([database, door]) => ({
        database,
        cap: door.cap,
        limit: door.limit.value,
        running: door.running,
        favoured: [...door.queue.favoured],
        waiting: Object.fromEntries(lanes.map((lane) => [lane, door.queue.sizeOf(lane)])) as Record<Lane, number>,
      }))
    ),
  })
})

export const layer = (options: GateOptions): Layer.Layer<CallGate> => Layer.effect(CallGate, make(options))
