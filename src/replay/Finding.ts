/** What a replay finds out about an event, and what applying it would do. */
import type { RunJson } from "../ledger/Runs.ts"
import type { Difference, Locked, Missing, Pending, Sight } from "../odoo/plan/preview/Sight.ts"
import type { ReasonCode } from "../reason/Reason.ts"

/** Every class with its meaning; documented in `docs/replay.md`. */
export const findings = {
  create: "A record of it is not in Odoo: it would be created",
  update: "It is newer than what was applied of its key: its values would be written",
  unfinished: "It stands in Odoo, and a step of its plan is not done: the step would be done",
  unrecorded: "It stands in Odoo as it should, and the ledger does not know: it would be recorded",
  changed: "It stands in Odoo with other values: what is done about it, the policy says",
  there: "It stands in Odoo as it should: nothing would be done",
  superseded: "A later event has the last word about what it says: nothing would be done",
  locked: "Its accounting date is in a locked period: nothing would be done",
  missing: "Something that it refers to is missing: nothing would be done",
  coming: "Its flow has not come to it yet, and will by itself: nothing would be done",
  held: "The ledger holds it, or an earlier event of its key: it is the exception desk's",
  dismissed: "A person gave it up: nothing would be done",
  refused: "Its plan would refuse it, or it cannot be understood: nothing would be done",
} as const

export type FindingClass = keyof typeof findings
export const findingClasses = Object.keys(findings) as ReadonlyArray<FindingClass>

/** Those that applying acts on. `changed` only under a policy that says so. */
export const actionable: ReadonlyArray<FindingClass> = ["create", "update", "unfinished", "unrecorded", "changed"]

/** Most differences that are kept of one event. */
const MAX_DIFFERENCES = 40

export interface Finding {
  readonly class: FindingClass
  /** Of `refused`, `missing` and `held`: why. */
  readonly code?: ReasonCode
  readonly note?: string
  readonly record?: NonNullable<Sight["record"]>
  readonly missing?: ReadonlyArray<Missing>
  readonly differences?: ReadonlyArray<Difference>
  readonly pending?: ReadonlyArray<Pending>
  readonly locked?: Locked
}

/** As it is kept with a run: without what is empty. */
export const detailOf = ({ class: _, differences, missing, pending, ...rest }: Finding): RunJson => ({
  ...rest as unknown as RunJson,
  ...(missing !== undefined && missing.length > 0 && { missing: missing as unknown as RunJson[string] }),
  ...(pending !== undefined && pending.length > 0 && { pending: pending as unknown as RunJson[string] }),
  ...(differences !== undefined && differences.length > 0 && {
    differences: differences.slice(0, MAX_DIFFERENCES) as unknown as RunJson[string],
    ...(differences.length > MAX_DIFFERENCES && { moreDifferences: differences.length - MAX_DIFFERENCES }),
  }),
})

/** Counts by flow and class. */
export class Totals {
  readonly #counts = new Map<string, Map<FindingClass, number>>()

  add(flow: string, finding: FindingClass): void {
    const own = this.#counts.get(flow) ?? new Map<FindingClass, number>()
    this.#counts.set(flow, own)
    own.set(finding, (own.get(finding) ?? 0) + 1)
  }

  /** `{"invoices": {"create": 10, "there": 5}}` */
  get json(): RunJson {
    return Object.fromEntries([...this.#counts].map(([flow, own]) => [flow, Object.fromEntries(own)]))
  }
}
