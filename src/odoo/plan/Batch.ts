/** A batch of events on its way through a plan: who is still in, who was refused and why. */
import type { Refusal } from "../../flow/Step.ts"
import type { Write } from "../../flow/Write.ts"
import type { Mark, Reference } from "../../ledger/Ledger.ts"
import type { OdooError } from "../Odoo.ts"

export class Batch {
  readonly writes: ReadonlyArray<Write<unknown>>
  readonly #refusals: Array<Refusal | undefined>
  /** Records that `load` made or found, by event: for the mapping, and for people when the event is refused later. */
  readonly #records: Array<Map<string, { readonly model: string; readonly externalId: string }>>
  /** Records that other events refer to by keys of their own, by event and key. */
  readonly #parts = new Map<number, Map<string, Required<Mark>>>()
  /** Load steps that had no row for an event, by event: what later steps do to their records has nothing to do. */
  readonly #absent = new Map<number, Set<string>>()
  /** What was taken back, in words. */
  readonly #compensated = new Map<number, Array<string>>()
  #alive: Array<number>

  constructor(writes: ReadonlyArray<Write<unknown>>) {
    this.writes = writes
    this.#refusals = new Array(writes.length)
    this.#records = new Array(writes.length)
    this.#alive = writes.map((_, index) => index)
  }

  /** Positions of the events that go on, in order. */
  get alive(): ReadonlyArray<number> {
    return this.#alive
  }

  isAlive(index: number): boolean {
    return this.#refusals[index] === undefined
  }

  refusalOf(index: number): Refusal | undefined {
    return this.#refusals[index]
  }

  /** The first refusal of an event stays. */
  refuse(index: number, refusal: Refusal): void {
    this.#refusals[index] ??= refusal
  }

  refuseFor(index: number, error: OdooError): void {
    this.refuse(index, { code: error.code, detail: `${error.operation}: ${error.message}` })
  }

  /** Forgets what an event was refused for, and what its steps found: it goes through its plan anew, in another batch. */
  reopen(index: number): void {
    const { ids, read } = this.writes[index]!
    this.#refusals[index] = undefined
    this.#records[index] = new Map()
    this.#absent.delete(index)
    for (const step of Object.keys(ids)) delete ids[step]
    for (const step of Object.keys(read)) delete read[step]
  }

  /** Drops the refused; called between two steps. */
  settle(): void {
    this.#alive = this.#alive.filter((index) => this.#refusals[index] === undefined)
  }

  /** A record of a load step, by its place among the event's; further ones are `ids["<step>.<place>"]`. */
  loaded(index: number, step: string, record: Required<Mark>["record"], at: number): void {
    const { externalId, id, model } = record
    const { ids } = this.writes[index]!
    if (at > 0) {
      ids[`${step}.${at}`] = id
      return
    }
    ids[step] = id
    const records = this.#records[index] ??= new Map()
    records.set(step, { model, externalId })
  }

  /** All records that a load step has of an event, in order. */
  idsOf(index: number, step: string): ReadonlyArray<number> {
    const { ids } = this.writes[index]!
    const all = [this.idOf(index, step)]
    for (let at = 1; ids[`${step}.${at}`] !== undefined; at++) all.push(ids[`${step}.${at}`]!)
    return all
  }

  /** The event has no record of this step. */
  absent(index: number, step: string): void {
    const steps = this.#absent.get(index)
    if (steps === undefined) this.#absent.set(index, new Set([step]))
    else steps.add(step)
  }

  /** Positions of the events that go on and have a record of `step`. */
  with(step: string): ReadonlyArray<number> {
    return this.#absent.size === 0 ? this.#alive : this.#alive.filter((index) => !this.#absent.get(index)?.has(step))
  }

  /** A record of the event under a key of its own. */
  named(index: number, { flow, key }: Reference, record: Required<Mark>["record"]): void {
    const parts = this.#parts.get(index) ?? new Map<string, Required<Mark>>()
    this.#parts.set(index, parts)
    parts.set(`${flow} ${key}`, { flow, key, record })
  }

  partsOf(index: number): ReadonlyArray<Required<Mark>> {
    return [...this.#parts.get(index)?.values() ?? []]
  }

  /** The database id that a step found; a plan that asks for one before its step is a defect. */
  idOf(index: number, step: string): number {
    const id = this.writes[index]!.ids[step]
    if (id === undefined) throw new Error(`the plan uses ids.${step} before a step of that name has found it`)
    return id
  }

  /** Notes in words what compensation did to a record of the event. */
  compensated(index: number, what: string): void {
    this.#compensated.set(index, [...this.#compensated.get(index) ?? [], what])
  }

  compensationOf(index: number): string {
    return (this.#compensated.get(index) ?? []).join("; ")
  }

  externalIdOf(index: number, step: string): string {
    return this.#records[index]?.get(step)?.externalId ?? ""
  }

  /** Ids by the steps that loaded them, without `except`, and by the roles of parts. */
  linksOf(index: number, except: string): Record<string, number> {
    const links: Record<string, number> = {}
    for (const step of this.#records[index]?.keys() ?? []) {
      if (step !== except) links[step] = this.writes[index]!.ids[step]!
    }
    for (const { key, record } of this.partsOf(index)) links[key.slice(key.indexOf(".") + 1)] = record.id
    return links
  }
}
