/**
 * Who may call Odoo now. Per database: at most its share of Odoo's workers at once, adapted to Odoo's latency
 * (`AdaptiveLimit.ts`); at most so many calls a second; of that for each entity no more than leaves the others some
 * (`Bulkhead.ts`); and a waiting room from which critical lanes overtake bulk ones without starving them
 * (`FairQueue.ts`). What all that comes to is decided at the database's door (`Door.ts`).
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
import { Door, type GateDatabase, Waiter } from "./Door.ts"
import { lanes } from "./FairQueue.ts"
import { OdooError } from "./Odoo.ts"

export type { GateDatabase }

export interface GateOptions {
  /**
   * By the name that `weir.json` gives the database. Asked at every call: what it holds may change, and another object
   * is another share or rate from then on.
   */
  readonly databases: Pick<ReadonlyMap<string, GateDatabase>, "get"> & { readonly keys: () => Iterable<string> }
  /** Most callers that wait per database; more are refused with `ODOO-UNAVAILABLE`. Default 10 000. */
  readonly maxWaiting?: number
}

export const DEFAULT_MAX_WAITING = 10_000

/** How long a critical call's place is kept for the next call of its plan: there is only computing in between. */
const KEPT_MILLIS = 10

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
  /**
   * This process keeps to such a part of the database's share and rate, above 0, at most 1: several call it. One call
   * at once is left in any case.
   */
  readonly divide: (database: string, part: number) => Effect.Effect<void>
  /** Whether an entity gets a larger share of its database, and backfills there step back. */
  readonly favour: (database: string, entity: string, favoured: boolean) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<ReadonlyArray<GateSnapshot>>
}>()("weir/odoo/CallGate") {}

const refusal = (code: "ODOO-UNAVAILABLE" | "ODOO-REFUSED-CALL", { operation }: Caller, message: string) =>
  new OdooError({ code, operation: operation ?? "call", message })

export const make = Effect.fnUntraced(function* (options: GateOptions) {
  const scope = yield* Effect.scope
  const maxWaiting = options.maxWaiting ?? DEFAULT_MAX_WAITING
  const doors = new Map<string, Door>()
  /** The door of a database as it is configured now. One that is gone keeps its door until its calls are over. */
  const doorOf = (name: string): Door | undefined => {
    const database = options.databases.get(name)
    const door = doors.get(name)
    if (database === undefined) {
      if (door?.running === 0 && door.queue.size === 0) doors.delete(name)
      return undefined
    }
    if (door === undefined) {
      const made = new Door(database)
      doors.set(name, made)
      return made
    }
    door.adjust(database)
    return door
  }

  /** Opens the door now, again when the rate allows, and again when a call is late. */
  const open = (door: Door, clock: Clock.Clock): Effect.Effect<void> => {
    const nowMillis = elapsedMillisOf(clock)
    const [pause, late] = [door.open(nowMillis), door.untilLate(nowMillis)]
    const again = (millis: number, timer: "timer" | "lateTimer"): Effect.Effect<void> => {
      if (millis === 0 || door[timer]) return Effect.void
      door[timer] = true
      return Effect.sleep(Duration.millis(Math.ceil(millis))).pipe(
        Effect.andThen(Effect.suspend(() => {
          door[timer] = false
          return open(door, clock)
        })),
        Effect.forkIn(scope),
        Effect.asVoid,
      )
    }
    return pause === 0 && late === 0 ? Effect.void : Effect.andThen(again(pause, "timer"), again(late, "lateTimer"))
  }

  /** Keeps a critical call's place for a moment. */
  const keep = (door: Door, clock: Clock.Clock): Effect.Effect<void> => {
    const place = door.keep()
    return place === null ? Effect.void : Effect.sleep(KEPT_MILLIS).pipe(
      Effect.andThen(Effect.suspend(() => door.release(place) ? open(door, clock) : Effect.void)),
      Effect.forkIn(scope),
      Effect.asVoid,
    )
  }

  const leave = (door: Door, clock: Clock.Clock, caller: Caller, waiter: Waiter, exit: Exit.Exit<unknown, OdooError>) =>
    Effect.suspend(() => {
      const nowMillis = elapsedMillisOf(clock)
      door.leave(waiter, nowMillis)
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
        const waiter = new Waiter(caller)
        if (caller.lane !== "critical" || !door.return(waiter, elapsedMillisOf(clock))) {
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
        const door = doorOf(database)
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
    divide: (database, part) =>
      Effect.clockWith((clock) =>
        Effect.suspend(() => {
          const door = doorOf(database)
          if (door === undefined) return Effect.void
          door.divide(part)
          return open(door, clock)
        })
      ),
    favour: (database, entity, favoured) => Effect.sync(() => doorOf(database)?.queue.favour(entity, favoured)),
    snapshot: Effect.sync(() =>
      [...options.databases.keys()].flatMap((database) => {
        const door = doorOf(database)
        return door === undefined ? [] : [{ database, door }]
      }).map(({ database, door }) => ({
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
