/** A batch of events that is being looked at: what was seen of each so far, and who is still followed. */
import type { EventSpec } from "../../../flow/Flow.ts"
import type { Refusal, Step } from "../../../flow/Step.ts"
import type { Write } from "../../../flow/Write.ts"
import type { Mapping, Mark } from "../../../ledger/Ledger.ts"
import type { OdooRecord } from "../../CompanyCalls.ts"
import type { Difference, Locked, Missing, Pending, Sight } from "./Sight.ts"

interface Found {
  readonly model: string
  readonly externalId: string
  readonly record: OdooRecord
}

interface Seen {
  readonly missing: Array<Missing>
  readonly differences: Array<Difference>
  readonly pending: Array<Pending>
  refusal: Refusal | null
  objection: Refusal | null
  locked: Locked | null
  draft: boolean
  invokes: boolean
  /** First record of each load step. */
  readonly records: Map<string, Found>
  /** Its values depend on what a service says today, and may have depended on something else then. */
  asked: boolean
  /** All records of each load step, in order. */
  readonly all: Map<string, Array<OdooRecord>>
  /** Records with keys of their own. */
  readonly parts: Map<string, Required<Mark>>
}

export class Looking {
  readonly spec: EventSpec<unknown>
  readonly writes: ReadonlyArray<Write<unknown>>
  /** What each event's own key maps to, as the ledger has it. */
  readonly known: ReadonlyArray<Mapping | null>
  /** The records are another system's: what only Weir's own can say is not compared. */
  readonly foreign: boolean
  readonly #applied: ReadonlyArray<boolean>
  readonly #seen: ReadonlyArray<Seen>
  #open: Array<number>

  constructor(
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    known: ReadonlyArray<Mapping | null>,
    applied: ReadonlyArray<boolean>,
    foreign = false,
  ) {
    this.foreign = foreign
    this.spec = spec
    this.writes = writes
    this.known = known
    this.#applied = applied
    this.#open = writes.map((_, index) => index)
    this.#seen = writes.map(() => ({
      missing: [],
      differences: [],
      pending: [],
      refusal: null,
      objection: null,
      locked: null,
      draft: true,
      invokes: false,
      asked: false,
      records: new Map(),
      all: new Map(),
      parts: new Map(),
    }))
  }

  /** Positions of the events whose records stand so far; what comes after a missing one cannot be seen. */
  get open(): ReadonlyArray<number> {
    return this.#open
  }

  /** Drops those that are done with; called between two steps. */
  settle(): void {
    this.#open = this.#open.filter((index) => {
      const { missing, refusal } = this.#seen[index]!
      return missing.length === 0 && refusal === null
    })
  }

  /** `at`: its place among the step's records of the event. */
  stands(index: number, step: string, found: Found, at: number): void {
    const { all, records } = this.#seen[index]!
    this.writes[index]!.ids[at === 0 ? step : `${step}.${at}`] = found.record.id
    if (at === 0) records.set(step, found)
    const own = all.get(step)
    if (own === undefined) all.set(step, [found.record])
    else own.push(found.record)
  }

  /** A record of the event under a key of its own. */
  named(index: number, part: Required<Mark>): void {
    this.#seen[index]!.parts.set(`${part.flow} ${part.key}`, part)
  }

  recordOf(index: number, step: string): OdooRecord | undefined {
    return this.#seen[index]!.records.get(step)?.record
  }

  /** Those of the step's records that stand. */
  recordsOf(index: number, step: string): ReadonlyArray<OdooRecord> {
    return this.#seen[index]!.all.get(step) ?? []
  }

  isMissing(index: number): boolean {
    return this.#seen[index]!.missing.length > 0
  }

  /** A service was asked for some of its values. */
  asks(index: number): void {
    this.#seen[index]!.asked = true
  }

  /** Whether its values are what the event itself says. */
  isItsOwn(index: number): boolean {
    return !this.#seen[index]!.asked
  }

  missing(index: number, missing: Missing): void {
    this.#seen[index]!.missing.push(missing)
  }

  /** Told once, whichever steps set the field. */
  differs(index: number, difference: Difference): void {
    const { differences } = this.#seen[index]!
    const isTold = differences.some(({ field, id, model }) =>
      field === difference.field && id === difference.id && model === difference.model
    )
    // Of a field with lines below it each one is told.
    if (!isTold || difference.event === "" || difference.odoo === "") differences.push(difference)
  }

  pends(index: number, pending: Pending): void {
    this.#seen[index]!.pending.push(pending)
  }

  refuse(index: number, refusal: Refusal): void {
    this.#seen[index]!.refusal ??= refusal
  }

  /** A rule is against it. It was not when the event was applied: what stands of that is looked at all the same. */
  object(index: number, refusal: Refusal): void {
    if (this.#applied[index] === true) this.#seen[index]!.objection ??= refusal
    else this.refuse(index, refusal)
  }

  lock(index: number, locked: Locked): void {
    this.#seen[index]!.locked ??= locked
  }

  /** A method would be called. */
  invokes(index: number): void {
    this.#seen[index]!.invokes = true
  }

  /** Something that the plan makes binding has been made so. */
  bound(index: number): void {
    this.#seen[index]!.draft = false
  }

  sight(index: number): Sight {
    const { all: _, asked: __, parts, records, ...seen } = this.#seen[index]!
    const { record } = this.spec
    const own = record === undefined ? undefined : records.get(record)
    const links: Record<string, number> = {}
    for (const [step, found] of records) if (step !== record) links[step] = found.record.id
    for (const { key, record } of parts.values()) links[key.slice(key.indexOf(".") + 1)] = record.id
    return {
      ...seen,
      record: own === undefined ? null : { model: own.model, id: own.record.id, externalId: own.externalId },
      foreign: this.foreign,
      links,
      parts: [...parts.values()],
    }
  }
}

/** The steps of a plan with one tag. */
export const stepsOf = <Tag extends Step<unknown>["_tag"]>(
  { plan }: EventSpec<unknown>,
  tag: Tag,
): ReadonlyArray<Extract<Step<unknown>, { readonly _tag: Tag }>> =>
  plan.filter((step): step is Extract<Step<unknown>, { readonly _tag: Tag }> => step._tag === tag)
