/**
 * What is done for a legal entity besides its events, whether a session lasts or not: runs that people or schedules asked for
 * (dry runs, proofs, archives, rebuilds), and those schedules. Each starts again by itself when it fails.
 */
import { Effect, type Latch } from "effect"
import { archive } from "../archive/archive.ts"
import { scheduleArchives } from "../archive/schedule.ts"
import { VaultError } from "../archive/Vault.ts"
import type { Flow } from "../flow/Flow.ts"
import type { Run } from "../ledger/Runs.ts"
import { MasterData } from "../odoo/MasterData.ts"
import { rebuild, RebuildRefused } from "../rebuild/rebuild.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { scheduleProofs } from "../reconcile/schedule.ts"
import { dryRun } from "../replay/dryRun.ts"
import { DEFAULT_SHADOW, scheduleShadows } from "../replay/shadow.ts"
import { attend } from "../runs/attend.ts"
import { restartBackoff, untilAvailable } from "./patience.ts"
import { type EntitySettings, Roster } from "./Roster.ts"

export interface DutyOptions {
  readonly settings: EntitySettings
  readonly flows: ReadonlyArray<Flow>
  /** Opened when there may be a run to be carried out. */
  readonly examinable: Latch.Latch
  /** Whether no session lasts: nothing is written. */
  readonly isDrained: () => boolean
  /** Whether another system writes, and is looked at every day. */
  readonly isShadowed: () => boolean
}

const noRetention = new VaultError({
  operation: "Archive.run",
  message: "No archive is configured: add retention with a directory to weir.json and start again.",
})

/** Runs in the background, and starts again when it fails. */
const kept = (what: string) => <E, R>(duty: Effect.Effect<unknown, E, R>) =>
  duty.pipe(
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError(`${what} stopped and starts again`, cause)),
    Effect.retry(restartBackoff),
    Effect.forkScoped,
  )

/** All of them, until the scope closes. */
export const duties = Effect.fnUntraced(
  function* ({ examinable, flows, isDrained, isShadowed, settings }: DutyOptions) {
    const { retention } = yield* Roster
    const master = yield* MasterData
    const carryOut = Effect.fnUntraced(function* (run: Run) {
      // Whether Odoo answers is nothing to it.
      if (run.kind === "archive") {
        return yield* retention === null ? Effect.fail(noRetention) : archive(run, retention, flows)
      }
      const company = yield* master.company(settings).pipe(untilAvailable("runs"))
      switch (run.kind) {
        case "replay":
          return yield* dryRun(run, company, flows)
        case "reconciliation":
          return yield* reconcile(run, company, flows)
        case "rebuild":
          if (isDrained()) return yield* rebuild(run, company, flows)
          return yield* new RebuildRefused({ message: `${settings.code} is not drained: drain it first` })
      }
    })
    yield* attend({ settings, nudged: examinable, carryOut }).pipe(kept("looking after runs"))
    if (settings.proof !== undefined) {
      yield* scheduleProofs(settings.code, settings.proof, examinable).pipe(kept("the schedule of proofs"))
    }
    yield* scheduleShadows(settings.code, { ...DEFAULT_SHADOW, ...settings.shadow }, isShadowed, examinable).pipe(
      kept("the schedule of looks"),
    )
    if (retention !== null) {
      yield* scheduleArchives(settings.code, retention, examinable).pipe(kept("the schedule of archives"))
    }
  },
)
