/** What finance decides about months that are locked in Odoo. */
import { Context, Effect, Layer, Schema } from "effect"
import { Roster } from "../actor/Roster.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { PERIOD_FLOW } from "../odoo/plan/period.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import type { CallerIdentity } from "./Caller.ts"
import type { Forbidden, NotFound, Unavailable } from "./Problem.ts"

export const Month = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])$/u, { message: "must be a month, YYYY-MM" }),
).annotate({ identifier: "Month", description: "Month of the documents' own dates", examples: ["2026-10"] })

export const PeriodApproval = Schema.Struct({
  entity: Schema.String,
  month: Month,
  by: Schema.String,
  /** Documents that waited and go on now. */
  released: Schema.Int,
  /** Approvals change something only where it is `approval`. */
  latePolicy: Schema.Literals(["exception", "next-open-day", "approval"]),
}).annotate({ identifier: "PeriodApproval" })
export type PeriodApproval = typeof PeriodApproval.Type

export class Periods extends Context.Service<Periods, {
  /** Lets late documents of `month` be booked on the first open day, now and in future. Asking twice changes nothing. */
  readonly approve: (
    caller: CallerIdentity,
    entity: string,
    month: string,
  ) => Effect.Effect<PeriodApproval, Forbidden | NotFound | Unavailable>
}>()("weir/operate/Periods") {}

export const layer = Layer.effect(
  Periods,
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const admission = yield* Admission
    const roster = yield* Roster
    return Periods.of({
      approve: Effect.fnUntraced(function* (caller, entity, month) {
        yield* admission.enter(caller, "period.approve", entity, { month })
        const released = yield* ledger.approve(entity, { flow: PERIOD_FLOW, key: month }, caller.name).pipe(asked)
        const { latePolicy = "exception" } = roster.entities.get(entity) ?? {}
        return { entity, month, by: caller.name, released, latePolicy }
      }),
    })
  }),
)
