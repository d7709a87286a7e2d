/** What a session needs before it can work: how the owner before left the entity, and the company as Odoo knows it. */
import { Clock, Duration, Effect, Schedule } from "effect"
import type { Flow } from "../flow/Flow.ts"
import type { Standing } from "../ledger/Governance.ts"
import { type Claim, Ledger } from "../ledger/Ledger.ts"
import { MasterData } from "../odoo/MasterData.ts"
import { dispositionOf } from "../reason/Reason.ts"
import type { Conduct } from "./modes/Conduct.ts"
import { odooBackoff, untilAvailable } from "./patience.ts"
import type { EntitySettings } from "./Roster.ts"
import type { SessionBoard } from "./Session.ts"

/** Wait between looks when Odoo lacks a company, journal or tax that the configuration names. */
const MASTER_DATA_POLL = Duration.seconds(30)
/** Most incidents that an owner before may have left open: one per cause. */
const MAX_OPEN = 100

/** Mode, override and open incidents as the owner before left them; the configured mode counts at the first start. */
export const takenOver = Effect.fnUntraced(function* (settings: EntitySettings, claim: Claim, conduct: Conduct) {
  const { incidents, policy } = conduct
  const ledger = yield* Ledger
  if (claim.epoch === 1 && settings.mode !== claim.mode) {
    const reason = "mode at the first start"
    const override = { mode: settings.mode, actor: "configuration", reason, untilMillis: null }
    const standing: Standing = { mode: settings.mode, override }
    yield* ledger.govern(claim, {
      entries: [{
        id: `${claim.epoch}/first`,
        actor: override.actor,
        action: "mode.changed",
        detail: { from: claim.mode, to: settings.mode, reason, override: settings.mode, until: null },
      }],
      standing,
      incidents: [],
      outbox: [],
    }).pipe(untilAvailable("mode"))
    return standing
  }
  const known = yield* ledger.standing(claim.entity).pipe(untilAvailable("mode"))
  const open = yield* ledger.incidents({ entity: claim.entity, open: true, limit: MAX_OPEN }).pipe(
    untilAvailable("incidents"),
  )
  const standing: Standing = known ?? { mode: claim.mode, override: null }
  if (standing.override === null) policy.resume(standing.mode)
  incidents.adopt(open, policy.mode === "full" ? yield* Clock.currentTimeMillis : null)
  return standing
})

/** The company as Odoo knows it, with the flows' seeds in place. Waits as long as Odoo is away or lacks something. */
export const resolved = Effect.fnUntraced(function* (
  settings: EntitySettings,
  flows: ReadonlyArray<Flow>,
  board: SessionBoard,
  conduct: Conduct,
) {
  const master = yield* MasterData
  const seeds = flows.flatMap((flow) => flow.seeds ?? [])
  const once = Effect.gen(function* () {
    const company = yield* master.company(settings)
    yield* master.seed(company, seeds)
    return company
  })
  let said = ""
  return yield* conduct.odoo.guard(once).pipe(
    Effect.tapError((error) => {
      if (board.state !== "stopped") board.state = "troubled"
      board.trouble = `${error.code}: ${error.message}`
      const repeated = said === board.trouble
      said = board.trouble
      return repeated ? Effect.void : Effect.logWarning(`cannot start yet, trying again by itself: ${board.trouble}`)
    }),
    Effect.retry({ schedule: odooBackoff, while: (error) => dispositionOf(error.code) !== "park" }),
    Effect.retry(Schedule.spaced(MASTER_DATA_POLL)),
    Effect.tap(() => Effect.sync(() => board.trouble = "")),
  )
})
