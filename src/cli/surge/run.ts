/**
 * One surge, from the first publication to what stands at the end.
 *
 *     what lies before ──► quiet ──► replay at pace ──► the rest ──► until all is settled ──► what stands ──► report
 *                                        └ meanwhile: faults on schedule, a person who works in Odoo, looks
 */
import { Clock, Console, Effect, Fiber } from "effect"
import type { SqlError } from "effect/sql"
import { hire } from "../../../fixtures/odoo/employees.ts"
import type { Scenario } from "../../../fixtures/scenario.ts"
import type { BrokerError } from "../../broker/Broker.ts"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { OdooError } from "../../odoo/Odoo.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"
import type { Display } from "./Display.ts"
import type { Fault } from "./FaultSchedule.ts"
import { eventTimes } from "./measure.ts"
import type { Objectives } from "./Objectives.ts"
import { person, personCalls } from "./person.ts"
import { postings } from "./postings.ts"
import { Feed, replay, type Speed } from "./replay.ts"
import type { SurgeReport } from "./Report.ts"
import { reportOf } from "./reportOf.ts"
import { settledNow, untilSettled } from "./settling.ts"
import { since, standing } from "./standing.ts"
import { strike, type Struck } from "./strike.ts"
import type { Target } from "./Target.ts"
import { Track } from "./Track.ts"
import { Watch, watching } from "./watch.ts"

/** Calls of a person before the surge, and the pause between two, milliseconds. */
const QUIET_CALLS = 25
const QUIET_PAUSE = 60
/** Pause of a person between two calls during the surge, milliseconds. */
const PERSON_PAUSE = 400
/** Incidents that are looked at, the newest ones. */
const MOST_INCIDENTS = 1_000

export interface SurgeOptions {
  readonly scenario: Scenario
  readonly target: Target
  readonly speed: Speed
  /** What lies before this moment of the scenario is published at once and settled before the surge begins. */
  readonly fromMillis: number
  /** What lies behind it is published at once afterwards. Default: nothing. */
  readonly untilMillis?: number
  readonly faults: ReadonlyArray<Fault>
  readonly objectives: Objectives
  /** Given up when nothing was settled for so long. */
  readonly patienceMillis: number
  readonly display: Display
  /** Between two displays. */
  readonly showEveryMillis: number
}

type Failures = BrokerError | CommandFailed | LedgerError | OdooError | SqlError.SqlError

const cannotGoOn = ({ message }: { readonly message: string }): Effect.Effect<never, CommandFailed> =>
  Effect.fail(new CommandFailed({ exit: exitCodes.unreachable, message: `The surge cannot go on: ${message}` }))

/** The scenario's consultants must be employees; the lab's stand-in begins with them. */
const prepare = Effect.fnUntraced(function* ({ configuration, employees }: Scenario, { kind, odoo }: Target) {
  if (kind === "lab") return
  const databases = new Set(Object.values(configuration.entities).map(({ database }) => database))
  for (const database of databases) yield* hire(odoo, database, employees)
})

const observe = Effect.fnUntraced(function* (options: SurgeOptions): Effect.fn.Return<SurgeReport, Failures> {
  const { display, faults, fromMillis, objectives, patienceMillis, scenario, speed, target, untilMillis } = options
  const { broker } = target
  const before = target.kind === "lab" ? null : yield* standing(scenario, target)
  yield* prepare(scenario, target)
  yield* broker.provision
  const base = yield* settledNow(target)
  const lastSequence = Effect.map(broker.describe, ({ stream }) => stream.lastSequence)
  const track = new Track(yield* lastSequence)
  const feed = new Feed(postings(scenario, (yield* Clock.currentTimeMillis).toString(36)))
  let settled = 0
  const settling = {
    wanted: () => track.published,
    base,
    patienceMillis,
    progress: (now: number) => void (settled = now),
  }

  if (fromMillis > 0) {
    yield* Console.error("publishing what lies before the paced part")
    yield* replay({ feed, broker, track, speed: "max", fromMillis: 0, untilMillis: fromMillis - 1 })
    yield* untilSettled(target, settling)
    track.measuredAfter = yield* lastSequence
  }
  const quiet: Array<number> = []
  const call = personCalls(scenario, target)
  if (objectives.user !== null) {
    yield* person(call, QUIET_PAUSE, (millis) => void quiet.push(millis), QUIET_CALLS)
  }

  const startedMillis = yield* Clock.currentTimeMillis
  const already = { published: track.published, settled }
  const watch = new Watch()
  const [struck, user, lag]: [Array<Struck>, Array<number>, Array<number>] = [[], [], []]
  const noted = (millis: number): void => {
    user.push(millis)
    watch.user.push(millis)
  }
  const showing = Effect.gen(function* () {
    yield* Effect.sleep(options.showEveryMillis)
    const now = yield* Clock.currentTimeMillis
    const lasting = struck.filter((one) => one.untilMillis === null).map(({ what }) => what)
    const { events } = scenario.expected
    yield* display.show({ atMillis: now - startedMillis, events, published: track.published, settled, watch, lasting })
  }).pipe(Effect.forever)
  let publishing = true
  const publish = Effect.gen(function* () {
    const paced = { feed, broker, track, fromMillis, lag: (millis: number) => void lag.push(millis) }
    yield* replay({ ...paced, speed, ...untilMillis !== undefined && { untilMillis } })
    yield* replay({ ...paced, speed: "max" })
    publishing = false
  })
  // While publishers sleep, for a night of the scenario, nothing being settled is no reason to give up.
  const counting = untilSettled(target, {
    ...settling,
    wanted: () => publishing ? Infinity : track.published,
    patienceMillis: Infinity,
  })
  const aside = yield* Effect.forEach([
    watching(watch, target, startedMillis),
    showing,
    ...target.control === null ? [] : [strike(faults, target.control, (one) => struck.push(one))],
    ...objectives.user === null ? [] : [person(call, PERSON_PAUSE, noted)],
  ], (fiber) => Effect.forkChild(fiber))
  yield* Effect.raceFirst(publish, Effect.andThen(counting, Effect.never))
  const complete = yield* untilSettled(target, settling)
  yield* Fiber.interruptAll(aside)

  const stands = yield* standing(scenario, target)
  return reportOf({
    scenario,
    target,
    objectives,
    speed,
    paced: { fromMillis, untilMillis: untilMillis ?? null },
    startedMillis,
    endedMillis: yield* Clock.currentTimeMillis,
    complete,
    published: track.published - already.published,
    settled: settled - already.settled,
    track,
    times: yield* eventTimes(target.sql, track.measuredAfter),
    gained: before === null ? stands : since(before, stands),
    watch,
    struck,
    incidents: yield* target.ledger.incidents({ limit: MOST_INCIDENTS }),
    lag,
    quiet,
    user,
  })
})

/** Runs it. What is away for longer than the surge has patience ends it; what is missed only shows in the report. */
export const surge = (options: SurgeOptions): Effect.Effect<SurgeReport, CommandFailed> =>
  observe(options).pipe(
    Effect.catchTags({
      LedgerError: cannotGoOn,
      BrokerError: cannotGoOn,
      OdooError: cannotGoOn,
      SqlError: cannotGoOn,
    }),
  )
