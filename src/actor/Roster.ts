/** Which legal entities and flows this Weir serves. */
import { Context } from "effect"
import type { Flow } from "../flow/Flow.ts"
import type { Mode } from "../ledger/Ledger.ts"
import type { LatePolicy } from "../odoo/Locks.ts"
import type { ProofSchedule } from "../reconcile/schedule.ts"
import type { CloseCalendar } from "./close/calendar.ts"

/** A legal entity as configured: codes and names that Odoo's database ids are found by. */
export interface EntitySettings {
  /** `be01` */
  readonly code: string
  /** Name of the database in `weir.json`. */
  readonly database: string
  /** Region whose runners it runs on; left out: any. */
  readonly region?: string
  /** `res.company` id. */
  readonly company: number
  readonly currency: string
  /** Journal codes by role. */
  readonly journals: Readonly<Record<string, string>>
  /** Odoo's tax, by id or exact name, by the source's tax code. */
  readonly taxes: Readonly<Record<string, number | string>>
  /** Account codes by the source's code or role. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Odoo's purchase tax likewise. */
  readonly purchaseTaxes?: Readonly<Record<string, number | string>>
  /** When it closes its books; left out: only when a person says so. */
  readonly close?: CloseCalendar
  /** When its months are proven complete; left out: only when a person asks. */
  readonly proof?: ProofSchedule
  /** What is done with documents dated in a locked period. */
  readonly latePolicy: LatePolicy
  /** Mode at the very first start; afterwards the ledger's counts. */
  readonly mode: Mode
}

export class Roster extends Context.Service<Roster, {
  /** Who claims: shown to operators. Host and process id. */
  readonly owner: string
  readonly entities: ReadonlyMap<string, EntitySettings>
  readonly flows: ReadonlyArray<Flow>
}>()("weir/actor/Roster") {}

/** Dependencies that the plans of a flow ask. */
export const askedBy = ({ events }: Flow): ReadonlyArray<string> =>
  events.flatMap(({ plan }) => plan.flatMap((step) => step._tag === "Enrich" ? [step.dependency] : []))
