/**
 * The circuit breaker between one entity and one dependency.
 *
 *              failures in a row             open time is over            answered
 *     closed ───────────────────► open ───────────────────────► half-open ─────────► closed
 *        ▲                          ▲                               │
 *        └── any call's success     └───────────────────────────────┘ failed: open for twice as long
 *
 * While it is not closed nobody calls but one cheap probe at a time; whoever wants to call waits, and goes on by itself
 * when it is closed again. After a first failure the probe is asked as well: a call that hung for minutes need not be
 * followed by two more to know that nobody is there, and one that is stuck by itself opens nothing. The breaker is Effect's; this adds waiting, probing, and when what happened.
 */
import { Clock, Effect, Exit, Latch, Option, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { steadyClockOf } from "../../telemetry/elapsed.ts"
import { circuitMeter } from "../../telemetry/Metrics.ts"
import { Thresholds } from "./Thresholds.ts"

export type CircuitState = "closed" | "open" | "half-open"

/** What a failed call says about the dependency. `refused`: a failure that must not be repeated soon. */
export type Judgement = "failure" | "refused" | "works" | "nothing"

export interface Transition {
  readonly dependency: string
  readonly from: CircuitState
  readonly to: CircuitState
  readonly atMillis: number
  /** First failure of the streak that opened it. */
  readonly failingSinceMillis: number
  /** The last failure's message. */
  readonly trouble: string
}

export interface CircuitOptions<E> {
  readonly entity: string
  readonly dependency: string
  /** Cheap, and safe to repeat. */
  readonly probe: Effect.Effect<unknown, E>
  /** Ask the probe also while closed, because nothing else calls the dependency. */
  readonly asks: boolean
  readonly judge: (error: E) => Judgement
  readonly changed: (transition: Transition) => void
}

export interface Circuit<E = never> {
  readonly dependency: string
  readonly state: () => CircuitState
  /** Since when it is not closed; null: it is. */
  readonly openedAtMillis: () => number | null
  readonly trouble: () => string
  /** Ends when it is closed. */
  readonly closed: Effect.Effect<void>
  /** Ends when it is not closed. */
  readonly barred: Effect.Effect<void>
  /** Waits until it is closed, then calls and learns from the outcome. */
  readonly guard: <A, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Calls and learns from the outcome when it is closed, else does not call: none. */
  readonly attempt: <A, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
}

const names: Readonly<Record<CircuitBreaker.State["_tag"], CircuitState>> = {
  Closed: "closed",
  Open: "open",
  HalfOpen: "half-open",
}

/** Lives with the scope: its prober is a fiber of it. */
export const makeCircuit = Effect.fnUntraced(function* <E extends { readonly message: string }>(
  { asks, changed, dependency, entity, judge, probe }: CircuitOptions<E>,
) {
  const thresholds = yield* Thresholds
  const clock = yield* Clock.Clock
  // It would stay open for an hour when the wall clock is set back by one.
  const steadily = Effect.provideService(Clock.Clock, steadyClockOf(clock))
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(thresholds.failures),
    openDuration: Schedule.min([
      Schedule.exponential(thresholds.firstOpen),
      Schedule.spaced(thresholds.longestOpen),
    ]),
  })
  const meter = circuitMeter(entity, dependency)
  const closed = Latch.makeUnsafe(true)
  const barred = Latch.makeUnsafe(false)
  /** Open after a failure while it is closed: one of many calls may have been unlucky, or nobody is there. */
  const suspected = Latch.makeUnsafe(false)
  let state: CircuitState = "closed"
  let openedAtMillis: number | null = null
  let failingSinceMillis: number | null = null
  let trouble = ""

  const move = (to: CircuitState): Effect.Effect<void> => {
    const from = state
    const atMillis = clock.currentTimeMillisUnsafe()
    state = to
    changed({ dependency, from, to, atMillis, failingSinceMillis: failingSinceMillis ?? atMillis, trouble })
    if (from === "closed") {
      openedAtMillis = atMillis
      Latch.closeUnsafe(closed)
      Latch.openUnsafe(barred)
    }
    if (to === "closed") {
      openedAtMillis = null
      failingSinceMillis = null
      Latch.closeUnsafe(suspected)
      Latch.closeUnsafe(barred)
      Latch.openUnsafe(closed)
    }
    return Effect.andThen(meter.moved(to), said(from, to))
  }

  const said = (from: CircuitState, to: CircuitState): Effect.Effect<void> => {
    if (from === "closed") {
      return Effect.logWarning(`circuit ${dependency} ${to}: no calls but probes until it answers. ${trouble}`)
    }
    return to === "closed"
      ? Effect.logInfo(`circuit ${dependency} closed: it answers again, work goes on`)
      : Effect.logDebug(`circuit ${dependency} ${from} -> ${to}`)
  }

  /** Takes over what the breaker made of the last outcome. */
  const observe = Effect.flatMap(steadily(Effect.orDie(breaker.state(dependency))), ({ _tag }) => {
    const next = names[_tag]
    return next === state ? Effect.void : move(next)
  })

  const outcomeOf = (probing: boolean) => (exit: Exit.Exit<unknown, E>): CircuitBreaker.Outcome => {
    if (Exit.isFailure(exit) && !Exit.hasFails(exit)) {
      // A defect is ours and an interruption says nothing; but a probe that breaks proves nothing either.
      return probing && Exit.hasDies(exit) ? CircuitBreaker.failure() : CircuitBreaker.ignored
    }
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    const judgement = error === undefined ? "works" : judge(error)
    if (judgement === "works") {
      if (state === "closed") failingSinceMillis = null
      return CircuitBreaker.success
    }
    if (judgement === "nothing" && !probing) return CircuitBreaker.ignored
    failingSinceMillis ??= clock.currentTimeMillisUnsafe()
    trouble = error?.message ?? ""
    Latch.openUnsafe(suspected)
    return CircuitBreaker.failure(judgement === "refused" ? { retryAfter: thresholds.refusedOpen } : {})
  }

  const execute = <A, R>(call: Effect.Effect<A, E, R>, probing: boolean) =>
    breaker.execute(Effect.provideService(probing ? Effect.andThen(observe, call) : call, Clock.Clock, clock), {
      key: dependency,
      classify: outcomeOf(probing),
    }).pipe(steadily, Effect.ensuring(observe))

  const isRejected = (error: E | CircuitBreaker.CircuitBreakerError): error is CircuitBreaker.CircuitBreakerError =>
    error instanceof CircuitBreaker.CircuitBreakerError

  const guard = <A, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    closed.await.pipe(
      Effect.andThen(execute(call, false)),
      Effect.catch((error): Effect.Effect<A, E, R> => isRejected(error) ? guard(call) : Effect.fail(error)),
    )

  const attempt = <A, R>(call: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.suspend(() => state === "closed" ? Effect.asSome(execute(call, false)) : Effect.succeedNone).pipe(
      Effect.catch((error): Effect.Effect<Option.Option<A>, E> =>
        isRejected(error) ? Effect.succeedNone : Effect.fail(error)
      ),
    )

  const probing = Effect.gen(function* () {
    while (true) {
      yield* Effect.raceFirst(barred.await, suspected.await)
      Latch.closeUnsafe(suspected)
      const standing = yield* steadily(Effect.orDie(breaker.state(dependency)))
      if (standing._tag !== "HalfOpen") {
        yield* Effect.sleep(standing._tag === "Open" ? standing.retryAfter : thresholds.firstOpen)
      }
      yield* Effect.exit(execute(probe, true))
    }
  })
  const asking = Effect.exit(guard(probe)).pipe(
    Effect.andThen(Effect.sleep(thresholds.askEvery)),
    Effect.forever,
  )
  yield* meter.started
  yield* Effect.forkScoped(asks ? Effect.all([probing, asking], { concurrency: 2, discard: true }) : probing)

  const circuit: Circuit<E> = {
    dependency,
    state: () => state,
    openedAtMillis: () => openedAtMillis,
    trouble: () => trouble,
    closed: closed.await,
    barred: barred.await,
    guard,
    attempt,
  }
  return circuit
}, Effect.provide(CircuitBreaker.layerStoreMemory(), { local: true }))

/** Ways of a flow: through the circuits of all that it needs. */
export interface Ways {
  /** Ends when all of them are closed. */
  readonly closed: Effect.Effect<void>
  readonly areClosed: () => boolean
  /** Ends when one of them is not. */
  readonly barred: Effect.Effect<void>
}

export const waysOf = (circuits: ReadonlyArray<Pick<Circuit, "closed" | "barred" | "state">>): Ways => ({
  closed: Effect.suspend(function again(): Effect.Effect<void> {
    const open = circuits.find((circuit) => circuit.state() !== "closed")
    return open === undefined ? Effect.void : Effect.andThen(open.closed, Effect.suspend(again))
  }),
  areClosed: () => circuits.every((circuit) => circuit.state() === "closed"),
  barred: Effect.raceAllFirst(circuits.map((circuit) => circuit.barred)),
})
