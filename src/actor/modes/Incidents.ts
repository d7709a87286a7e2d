/**
 * The incidents of one entity: from the first failure to the moment when it does again all that it should. One open
 * incident per cause. Plain state: the governor makes it durable.
 *
 *     detected ──► contained ──► (better at) ──calm──► restored
 *                      ▲              │
 *                      └── worse ─────┘      another opening before it was calm belongs to the same incident
 */
import type { Incident, IncidentStep } from "../../ledger/Governance.ts"

/** Steps that an incident keeps; of a longer one the later ones are left out, but for the last. */
export const MAX_STEPS = 100

interface Open {
  incident: Incident
  /** Since when all is well; null while it is not. */
  betterAtMillis: number | null
}

export class Incidents {
  readonly #entity: string
  readonly #open = new Map<string, Open>()
  /** Changed and not durable yet, by id. */
  #changed = new Map<string, Incident>()

  constructor(entity: string) {
    this.#entity = entity
  }

  /** Takes over what an owner before left open; `betterAtMillis`: since when all is well, null: it is not. */
  adopt(incidents: ReadonlyArray<Incident>, betterAtMillis: number | null): void {
    for (const incident of incidents) {
      if (!this.#open.has(incident.cause)) this.#open.set(incident.cause, { incident, betterAtMillis })
    }
  }

  get open(): ReadonlyArray<Incident> {
    return [...this.#open.values()].map(({ incident }) => incident)
  }

  /** It can do no more harm. The first time opens the incident. */
  contained(cause: string, detectedAtMillis: number, step: IncidentStep): void {
    const known = this.#open.get(cause)
    if (known !== undefined) {
      known.betterAtMillis = null
      return this.#write(known, step, {})
    }
    const incident: Incident = {
      id: `${cause}-${detectedAtMillis}`,
      entity: this.#entity,
      cause,
      detectedAtMillis,
      containedAtMillis: step.atMillis,
      restoredAtMillis: null,
      steps: [],
    }
    const open = { incident, betterAtMillis: null }
    this.#open.set(cause, open)
    this.#write(open, step, {})
  }

  /** Something was done about it. */
  step(cause: string, step: IncidentStep): void {
    const known = this.#open.get(cause)
    if (known !== undefined) this.#write(known, step, {})
  }

  /** All is well since `step.atMillis`; the incident ends when it stays so. */
  better(cause: string, step: IncidentStep): void {
    const known = this.#open.get(cause)
    if (known === undefined) return
    known.betterAtMillis = step.atMillis
    this.#write(known, step, {})
  }

  /** When the first of them may end, epoch milliseconds. */
  endsAtMillis(calmMillis: number): number | null {
    const times = [...this.#open.values()].flatMap(({ betterAtMillis }) =>
      betterAtMillis === null ? [] : [betterAtMillis + calmMillis]
    )
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Ends what has been well for long enough. Answers the causes. */
  end(nowMillis: number, calmMillis: number): ReadonlyArray<Incident> {
    const ended: Array<Incident> = []
    for (const [cause, open] of this.#open) {
      const { betterAtMillis } = open
      if (betterAtMillis === null || nowMillis < betterAtMillis + calmMillis) continue
      this.#write(open, { atMillis: betterAtMillis, what: "restored" }, { restoredAtMillis: betterAtMillis })
      this.#open.delete(cause)
      ended.push(open.incident)
    }
    return ended
  }

  /** What is not durable yet. Whoever takes it makes it so. */
  take(): ReadonlyArray<Incident> {
    const changed = [...this.#changed.values()]
    this.#changed = new Map()
    return changed
  }

  /** It did not become durable. What changed again since stays as it is. */
  giveBack(incidents: ReadonlyArray<Incident>): void {
    for (const incident of incidents) if (!this.#changed.has(incident.id)) this.#changed.set(incident.id, incident)
  }

  get dirty(): boolean {
    return this.#changed.size > 0
  }

  #write(open: Open, step: IncidentStep, change: Partial<Incident>): void {
    const { steps } = open.incident
    const kept = steps.length < MAX_STEPS ? steps : steps.slice(0, MAX_STEPS - 1)
    open.incident = { ...open.incident, ...change, steps: [...kept, step] }
    this.#changed.set(open.incident.id, open.incident)
  }
}
