/** What the memory adapters of the ledger's ports share: the entities, and the faults that are planned for their calls. */
import { Clock, Effect } from "effect"
import type { Archive } from "../Archives.ts"
import { type Fence, LedgerError } from "../Ledger.ts"
import { fenced } from "../sql/failure.ts"
import { type AccessState, emptyAccess } from "./accessState.ts"
import type { AmendmentEntry } from "./amendments.ts"
import type { RedriveEntry } from "./redrives.ts"
import type { RunsState } from "./runs.ts"
import { emptyState, type EntityState } from "./state.ts"

/** `before`: nothing happened. `after`: it is done, but the caller does not learn it. */
export type Fault = "before" | "after"

interface Planned {
  readonly fault: Fault
  readonly operation: string | undefined
}

const lost = (operation: string, fault: Fault) =>
  new LedgerError({
    reason: "Unavailable",
    operation: `Ledger.${operation}`,
    message: `Planned fault ${fault} ${operation}.`,
  })

/** Atomic by nature: a call runs to its end before any other one begins. */
export class Store {
  readonly entities = new Map<string, EntityState>()
  readonly access: AccessState = emptyAccess()
  readonly amendments: Array<AmendmentEntry> = []
  readonly redrives: Array<RedriveEntry> = []
  readonly runs: RunsState = new Map()
  /** By entity, kind and name. */
  readonly archives = new Map<string, Archive>()
  readonly #planned: Array<Planned> = []
  readonly positions = { last: 0, outbox: 0 }

  /** The next `count` calls (of `operation`, or of any) fail. Adds up. */
  plan(count: number, fault: Fault, operation?: string): void {
    for (let n = 0; n < count; n++) this.#planned.push({ fault, operation })
  }

  readonly of = (entity: string): EntityState => {
    const known = this.entities.get(entity)
    if (known !== undefined) return known
    const fresh = emptyState(entity, this.positions)
    this.entities.set(entity, fresh)
    return fresh
  }

  /** One call: all or nothing, with the planned fault. */
  readonly call = <A>(
    operation: string,
    run: (nowMillis: number) => A | LedgerError,
  ): Effect.Effect<A, LedgerError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const place = this.#planned.findIndex((plan) => plan.operation === undefined || plan.operation === operation)
      const [plan] = place < 0 ? [] : this.#planned.splice(place, 1)
      if (plan?.fault === "before") return Effect.fail(lost(operation, "before"))
      const result = run(now)
      if (result instanceof LedgerError) return Effect.fail(result)
      return plan === undefined ? Effect.succeed(result) : Effect.fail(lost(operation, "after"))
    })

  /** A call of the owner. */
  readonly owned = <A>(operation: string, fence: Fence, run: (state: EntityState, nowMillis: number) => A) =>
    this.call<A>(operation, (now) => {
      const state = this.of(fence.entity)
      return state.lease?.epoch === fence.epoch
        ? run(state, now)
        : fenced(`Ledger.${operation}`, fence.entity, fence.epoch)
    })
}
