/**
 * Every metric that Weir has, named once, with unit and labels. Names follow Prometheus: base units (seconds), counters
 * end in `_total`. Labels are bounded by configuration: entities, flows, databases, models, reasons; never keys or ids.
 *
 * Updates are made per batch and outcome, not per event, on series that are built once: hold a meter, do not make one
 * per batch.
 */
import { type Context, Effect, Exit, Metric, Option } from "effect"
import { type ReasonCode, reasons } from "../reason/Reason.ts"

/** What became of an event. */
export type SettledAs = "applied" | "superseded" | "duplicate" | "waiting" | "parked" | "behind"

const seconds = (start: number, count: number) => Metric.exponentialBoundaries({ start, factor: 2, count })

export const events = Metric.counter("weir_events_total", {
  description: "Events settled, by outcome",
  incremental: true,
})
export const inFlight = Metric.gauge("weir_events_in_flight", { description: "Events admitted and not yet settled" })
export const backlog = Metric.gauge("weir_events_backlog", { description: "Events in the broker not yet delivered" })
export const latency = Metric.histogram("weir_event_latency_seconds", {
  description: "From stored in the broker to settled in the ledger",
  boundaries: seconds(0.01, 20),
})
export const batchSize = Metric.histogram("weir_batch_events", {
  description: "Events in one run of a write plan",
  boundaries: seconds(1, 10),
})
export const retries = Metric.counter("weir_retries_total", {
  description: "Repeated tries, by reason",
  incremental: true,
})
export const exceptions = Metric.counter("weir_exceptions_total", {
  description: "Events that became exceptions, by code and kind",
  incremental: true,
})
export const unknownFields = Metric.counter("weir_event_unknown_fields_total", {
  description: "Fields of events that no schema knows, by event type; their names are in the log",
  incremental: true,
})
export const restarts = Metric.counter("weir_restarts_total", {
  description: "Pumps that stopped and were started again",
  incremental: true,
})
export const odooCalls = Metric.histogram("weir_odoo_call_seconds", {
  description: "Duration of calls to Odoo, by outcome: ok or the reason's code",
  boundaries: seconds(0.005, 15),
})
export const odooUnknown = Metric.counter("weir_odoo_unknown_answers_total", {
  description: "Answers of Odoo that nobody has seen yet, by operation; their shapes are in the log",
  incremental: true,
})
export const odooRunning = Metric.gauge("weir_odoo_calls_running", { description: "Calls to Odoo under way" })
export const odooLimit = Metric.gauge("weir_odoo_calls_limit", { description: "Calls to Odoo allowed at once, now" })
export const ledgerStatements = Metric.histogram("weir_ledger_statement_seconds", {
  description: "Duration of the ledger's statements",
  boundaries: seconds(0.0005, 15),
})

export const consumersRebuilt = Metric.counter("weir_consumers_rebuilt_total", {
  description: "Consumers that went silent although the stream was ahead, and were replaced",
  incremental: true,
})
export const feedAge = Metric.gauge("weir_feed_age_seconds", {
  description: "Since the feed of a flow had last seen all that people changed in Odoo; no series where there is none",
})
export const circuitState = Metric.gauge("weir_circuit_state", {
  description: "State of an entity's circuit to a dependency: 0 closed, 1 half-open, 2 open",
})
export const circuitTransitions = Metric.counter("weir_circuit_transitions_total", {
  description: "Transitions of circuits, by the state they went to",
  incremental: true,
})
export const entityMode = Metric.gauge("weir_entity_mode", {
  description: "1 for the mode that an entity is in, else 0",
})
export const entityClose = Metric.gauge("weir_entity_close", {
  description: "1 while an entity closes its books, else 0",
})
export const modeChanges = Metric.counter("weir_mode_changes_total", {
  description: "Changes of an entity's mode, by the mode it went to and by whom: person or weir",
  incremental: true,
})
export const incidentsOpen = Metric.gauge("weir_incidents_open", {
  description: "Incidents of an entity that are not restored",
})
export const proofMismatches = Metric.gauge("weir_proof_mismatches", {
  description: "Mismatches that the newest proof of completeness of an entity found",
})
export const proofOverdue = Metric.gauge("weir_proof_overdue", {
  description: "1 while the month before ought to be proven complete and is not, else 0",
})

export const archivedRowsTotal = Metric.counter("weir_archived_rows_total", {
  description: "Rows that left the ledger for an archive, by kind",
  incremental: true,
})
export const archiveOverdue = Metric.gauge("weir_archive_overdue", {
  description: "1 while rows of an entity ought to have left the ledger and have not: its newest archiving failed",
})
export const archiveAge = Metric.gauge("weir_archive_age_seconds", {
  description: "Since an archiving of an entity succeeded last; no series before the first",
})

export const odooKeyAge = Metric.gauge("weir_odoo_key_age_seconds", {
  description: "Age of the API key of an Odoo database; of several the oldest",
})
export const odooKeyRemaining = Metric.gauge("weir_odoo_key_remaining_seconds", {
  description: "Time until the API key of an Odoo database ends; no series for a key that does not",
})
export const tokensEnding = Metric.gauge("weir_tokens_ending", {
  description: "API tokens that end within 14 days",
})

/** All of them, for documentation and tests. */
export const all = [
  events,
  inFlight,
  backlog,
  latency,
  batchSize,
  retries,
  exceptions,
  restarts,
  odooCalls,
  odooUnknown,
  odooRunning,
  odooLimit,
  ledgerStatements,
  consumersRebuilt,
  feedAge,
  circuitState,
  circuitTransitions,
  entityMode,
  entityClose,
  modeChanges,
  incidentsOpen,
  odooKeyAge,
  odooKeyRemaining,
  tokensEnding,
  proofMismatches,
  proofOverdue,
  archivedRowsTotal,
  archiveOverdue,
  archiveAge,
]

/** Series of one metric by the value of its last labels, built on first use. */
const series = <I, S>(metric: Metric.Metric<I, S>, fixed: Readonly<Record<string, string>>) => {
  const known = new Map<string, Metric.Metric<I, S>>()
  return (labels: Readonly<Record<string, string>>): Metric.Metric<I, S> => {
    const key = Object.values(labels).join("\u0000")
    const found = known.get(key)
    if (found !== undefined) return found
    const made = Metric.withAttributes(metric, { ...fixed, ...labels })
    known.set(key, made)
    return made
  }
}

const recording = (record: (context: Context.Context<never>) => void): Effect.Effect<void> =>
  Effect.map(Effect.context<never>(), record)

export interface FlowMeter {
  /** One settlement: how many events ended how, and how long each took since the broker stored it. Milliseconds. */
  readonly settled: (
    outcomes: Iterable<readonly [SettledAs, number]>,
    latenciesMillis: ReadonlyArray<number>,
  ) => Effect.Effect<void>
  readonly batch: (events: number) => Effect.Effect<void>
  readonly inFlight: (events: number) => Effect.Effect<void>
  readonly backlog: (events: number) => Effect.Effect<void>
  readonly retried: (code: ReasonCode, events: number) => Effect.Effect<void>
  readonly parked: (code: ReasonCode, events: number) => Effect.Effect<void>
  /** Fields that no schema knows, of events of a type. */
  readonly drifted: (type: string, fields: number) => Effect.Effect<void>
  /** Seconds since its feed had last seen everything. */
  readonly feedAge: (seconds: number) => Effect.Effect<void>
  readonly restarted: Effect.Effect<void>
  /** Its consumer was replaced. */
  readonly rebuilt: Effect.Effect<void>
}

/** The series of one flow of one entity. Make it when the flow starts. */
export const flowMeter = (entity: string, flow: string): FlowMeter => {
  const fixed = { entity, flow }
  const of = {
    events: series(events, fixed),
    latency: Metric.withAttributes(latency, fixed),
    batchSize: Metric.withAttributes(batchSize, fixed),
    inFlight: Metric.withAttributes(inFlight, fixed),
    backlog: Metric.withAttributes(backlog, fixed),
    retries: series(retries, fixed),
    exceptions: series(exceptions, fixed),
    feedAge: Metric.withAttributes(feedAge, fixed),
    unknownFields: series(unknownFields, fixed),
  }
  return {
    settled: (outcomes, latenciesMillis) =>
      recording((context) => {
        for (const [outcome, count] of outcomes) of.events({ outcome }).updateUnsafe(count, context)
        for (const millis of latenciesMillis) of.latency.updateUnsafe(millis / 1_000, context)
      }),
    batch: (count) => Metric.update(of.batchSize, count),
    inFlight: (count) => Metric.update(of.inFlight, count),
    backlog: (count) => Metric.update(of.backlog, count),
    retried: (reason, count) => Metric.update(of.retries({ reason }), count),
    parked: (code, count) => Metric.update(of.exceptions({ code, kind: reasons[code].kind }), count),
    drifted: (type, count) => Metric.update(of.unknownFields({ type }), count),
    feedAge: (seconds) => Metric.update(of.feedAge, seconds),
    restarted: Metric.update(Metric.withAttributes(restarts, fixed), 1),
    rebuilt: Metric.update(Metric.withAttributes(consumersRebuilt, fixed), 1),
  }
}

const calls = series(odooCalls, {})
const running = series(odooRunning, {})
const limit = series(odooLimit, {})
const statements = series(ledgerStatements, {})

/** Runs `record` with the seconds that `self` took, however it ended. */
const timing =
  <E>(record: (seconds: number, exit: Exit.Exit<unknown, E>) => Effect.Effect<void>) =>
  <A, E1 extends E, R>(self: Effect.Effect<A, E1, R>): Effect.Effect<A, E1, R> =>
    Effect.clockWith((clock) => {
      const start = clock.currentTimeNanosUnsafe()
      return Effect.onExit(self, (exit) => record(Number(clock.currentTimeNanosUnsafe() - start) / 1e9, exit))
    })

/** Measures a call to Odoo by its outcome: `ok`, or the reason's code. Waiting for a turn is not a part of it. */
export const timedCall = (
  database: string,
  model: string,
  method: string,
): <A, E extends { readonly code: ReasonCode }, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =>
  timing<{ readonly code: ReasonCode }>((seconds, exit) => {
    const outcome = Exit.isSuccess(exit)
      ? "ok"
      : Option.match(Exit.findErrorOption(exit), { onNone: () => "interrupted", onSome: ({ code }) => code })
    return Metric.update(calls({ database, model, method, outcome }), seconds)
  })

const unknowns = series(odooUnknown, {})

/** Counts an answer of Odoo that nobody has seen yet; `operation` is `<model>/<method>`. */
export const unknownAnswer = (operation: string): Effect.Effect<void> => Metric.update(unknowns({ operation }), 1)

/** Calls that run and may run at once, per database. */
export const gateGauges = (database: string, runningNow: number, limitNow: number): Effect.Effect<void> =>
  Effect.andThen(Metric.update(running({ database }), runningNow), Metric.update(limit({ database }), limitNow))

/** Measures a statement of the ledger by its name (`admit`, `settle`), whether it succeeds or not. */
export const timed = (statement: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =>
  timing<unknown>((seconds) => Metric.update(statements({ statement }), seconds))

const circuitLevels = { closed: 0, "half-open": 1, open: 2 } as const

/** The series of one circuit. */
export const circuitMeter = (entity: string, dependency: string) => {
  const fixed = { entity, dependency }
  const transitions = series(circuitTransitions, fixed)
  const state = Metric.withAttributes(circuitState, fixed)
  return {
    moved: (to: keyof typeof circuitLevels): Effect.Effect<void> =>
      Effect.andThen(Metric.update(state, circuitLevels[to]), Metric.update(transitions({ to }), 1)),
    started: Metric.update(state, circuitLevels.closed),
  }
}

/** The key of an Odoo database; null: not known, or it does not end. */
export const keyGauges = (
  database: string,
  { ageSeconds, remainingSeconds }: { readonly ageSeconds: number | null; readonly remainingSeconds: number | null },
): Effect.Effect<void> =>
  Effect.forEach(
    [[odooKeyAge, ageSeconds], [odooKeyRemaining, remainingSeconds]] as const,
    ([metric, value]) =>
      value === null ? Effect.void : Metric.update(Metric.withAttributes(metric, { database }), value),
    { discard: true },
  )

export const tokenGauge = (ending: number): Effect.Effect<void> => Metric.update(tokensEnding, ending)

const modes = ["full", "essential", "drafts", "hold", "shadow"] as const

/** Whether an entity closes its books now. */
export const closeMeter = (entity: string, closing: boolean): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(entityClose, { entity }), closing ? 1 : 0)

const archived = series(archivedRowsTotal, {})

/** Rows of a kind that left the ledger. */
export const archivedRows = (entity: string, kind: string, rows: number): Effect.Effect<void> =>
  Metric.update(archived({ entity, kind }), rows)

/** The series of one entity's archivings. */
export const archiveMeter = (entity: string) => {
  const overdue = Metric.withAttributes(archiveOverdue, { entity })
  const age = Metric.withAttributes(archiveAge, { entity })
  return (hasFailed: boolean, ageSeconds: number | null): Effect.Effect<void> =>
    Effect.andThen(
      Metric.update(overdue, hasFailed ? 1 : 0),
      ageSeconds === null ? Effect.void : Metric.update(age, ageSeconds),
    )
}

/** The series of one entity's proofs of completeness. */
export const proofMeter = (entity: string) => {
  const mismatches = Metric.withAttributes(proofMismatches, { entity })
  const overdue = Metric.withAttributes(proofOverdue, { entity })
  return {
    told: (found: number, isOverdue: boolean): Effect.Effect<void> =>
      Effect.andThen(Metric.update(mismatches, found), Metric.update(overdue, isOverdue ? 1 : 0)),
  }
}

/** The series of one entity's mode and incidents. */
export const modeMeter = (entity: string) => {
  const mode = series(entityMode, { entity })
  const changes = series(modeChanges, { entity })
  return {
    /** What the mode is, without counting a change. */
    is: (now: string): Effect.Effect<void> =>
      Effect.forEach(modes, (each) => Metric.update(mode({ mode: each }), each === now ? 1 : 0), { discard: true }),
    changed: (to: string, by: "person" | "weir"): Effect.Effect<void> => Metric.update(changes({ mode: to, by }), 1),
    incidents: (open: number): Effect.Effect<void> =>
      Metric.update(Metric.withAttributes(incidentsOpen, { entity }), open),
  }
}
