/**
 * Which pumps of an entity run now, by its mode and by what people paused. A change stops the pumps that are not to run as
 * they do, waits until they are idle, and starts what the new mode lets run; the others do not notice.
 *
 *     stopped ──enter──► running (posting | drafting) ──leave──► ending ──(settled, or Odoo away)──► stopped
 */
import { Deferred, Effect, Latch } from "effect"
import type { Flow } from "../../flow/Flow.ts"
import type { Mode } from "../../ledger/Governance.ts"

type Setting = "stopped" | "posting" | "drafting"

/** Names of the flows that people paused. */
export type Paused = ReadonlySet<string>

/** A mode in which nothing is taken in. */
export const isStill = (mode: Mode | undefined): boolean => mode === "hold" || mode === "shadow"

/** How a flow runs in a mode; a paused one does not, in any. */
export const settingOf = (mode: Mode, { lane, name }: Pick<Flow, "lane" | "name">, paused: Paused): Setting => {
  if (paused.has(name)) return "stopped"
  switch (mode) {
    case "hold":
    case "shadow":
      return "stopped"
    case "essential":
      return lane === "critical" ? "posting" : "stopped"
    case "drafts":
      return "drafting"
    case "full":
      return "posting"
  }
}

export interface SwitchboardOptions<E, R> {
  readonly flows: ReadonlyArray<Flow>
  /** Ends when the session is to end. */
  readonly stop: Effect.Effect<void>
  /** Runs a flow's pump until `stop` is done and what it has in flight is settled. */
  readonly pump: (flow: Flow, drafting: boolean, stop: Deferred.Deferred<void>) => Effect.Effect<void, E, R>
  /** Ends when a flow's calls cannot go out: what it has in flight will not be settled soon. */
  readonly barred: (flow: Flow) => Effect.Effect<void>
  readonly stopped: (flow: Flow) => void
}

export interface Switchboard<E, R> {
  /** Stops what `mode` and pauses do not let run as it does, and returns when it is idle. */
  readonly leave: (mode: Mode, paused: Paused) => Effect.Effect<void>
  /** Starts what `mode` and pauses let run. */
  readonly enter: (mode: Mode, paused: Paused) => Effect.Effect<void>
  /** Until the session's stop, then until all are idle. Fails with the first pump that does. */
  readonly run: Effect.Effect<void, E, R>
}

interface Line {
  readonly flow: Flow
  setting: Setting
  stop: Deferred.Deferred<void>
  /** Open while it should run, or has to look whether it should end. */
  readonly wanted: Latch.Latch
  readonly idle: Latch.Latch
}

export const makeSwitchboard = <E, R>(options: SwitchboardOptions<E, R>): Switchboard<E, R> => {
  let ending = false
  const lines = options.flows.map((flow): Line => ({
    flow,
    setting: "stopped",
    stop: Deferred.makeUnsafe<void>(),
    wanted: Latch.makeUnsafe(false),
    idle: Latch.makeUnsafe(true),
  }))

  const halt = (line: Line): void => {
    line.setting = "stopped"
    // A change of mode while the session ends must not shut the way out.
    if (!ending) Latch.closeUnsafe(line.wanted)
    Deferred.doneUnsafe(line.stop, Effect.void)
  }

  /** One life of a pump. What is in flight when calls cannot go out is given back: it is delivered again. */
  const life = (line: Line) => {
    const { flow, setting, stop } = line
    const abandon = Deferred.await(stop).pipe(
      Effect.andThen(options.barred(flow)),
      Effect.andThen(Effect.logInfo(`${flow.name} stops while calls cannot go out: what is in flight comes again`)),
    )
    return options.pump(flow, setting === "drafting", stop).pipe(
      Effect.raceFirst(abandon),
      Effect.ensuring(Effect.sync(() => options.stopped(flow))),
    )
  }

  const serve = Effect.fnUntraced(function* (line: Line) {
    while (true) {
      yield* line.wanted.await
      if (ending) return
      yield* life(line).pipe(Effect.ensuring(Effect.sync(() => Latch.openUnsafe(line.idle))))
    }
  })

  const ended = Effect.andThen(
    options.stop,
    Effect.sync(() => {
      ending = true
      for (const line of lines) {
        halt(line)
        Latch.openUnsafe(line.wanted)
      }
    }),
  )

  return {
    leave: (mode, paused) =>
      Effect.suspend(() => {
        const leaving = lines.filter((line) => line.setting !== settingOf(mode, line.flow, paused))
        for (const line of leaving) halt(line)
        return Effect.forEach(leaving, ({ idle }) => idle.await, { discard: true })
      }),
    enter: (mode, paused) =>
      Effect.sync(() => {
        for (const line of lines) {
          const setting = settingOf(mode, line.flow, paused)
          if (ending || setting === "stopped" || setting === line.setting) continue
          line.setting = setting
          line.stop = Deferred.makeUnsafe<void>()
          Latch.closeUnsafe(line.idle)
          Latch.openUnsafe(line.wanted)
        }
      }),
    run: Effect.suspend(() =>
      Effect.all([ended, ...lines.map(serve)], { concurrency: lines.length + 1, discard: true })
    ),
  }
}
