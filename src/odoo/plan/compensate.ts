/**
 * Compensation: when an event is refused for good at a later step, the records of earlier steps that declare it are taken
 * back, in reverse order: a draft invoice that can never be posted is cancelled, so that it does not count as invoiced.
 * Guarded by the record's state like every transition, so doing it again changes nothing; whatever the calls said, the
 * state that is read at the end is what people are told.
 */
import { Effect } from "effect"
import type { Compensation, Load } from "../../flow/Step.ts"
import { dispositionOf } from "../../reason/Reason.ts"
import type { CompanyCalls, OdooRecord } from "../CompanyCalls.ts"
import type { Batch } from "./Batch.ts"
import { isolate } from "./isolate.ts"

const stateIn = (record: OdooRecord | undefined, { field }: Compensation): string => String(record?.[field] ?? "gone")

const compensate = Effect.fnUntraced(
  function* (step: Load<unknown>, compensation: Compensation, batch: Batch, calls: CompanyCalls) {
    const { field, from, method, on } = compensation
    const indexes = batch.writes.flatMap((write, index) => {
      const code = batch.refusalOf(index)?.code
      return code !== undefined && on.includes(code) && write.ids[step.name] !== undefined ? [index] : []
    })
    if (indexes.length === 0) return
    const idOf = (index: number): number => batch.idOf(index, step.name)
    const before = yield* calls.read(step.model, indexes.map(idOf), [field])
    const ids = [...new Set(indexes.map(idOf))].filter((id) => from.includes(stateIn(before.get(id), compensation)))
    const errors = new Map<number, string>()
    // What Odoo refuses stays as it is and is told; trouble that may pass fails the run, which is then repeated.
    yield* isolate(ids, {
      call: (ids) => calls.call(step.model, method, { ids }),
      refuse: (id, error) => errors.set(id, error.message),
    }).pipe(Effect.catchIf((error) => dispositionOf(error.code) === "park", () => Effect.void))
    const after = ids.length === 0 ? before : yield* calls.read(step.model, indexes.map(idOf), [field])
    for (const index of indexes) {
      const id = idOf(index)
      const state = stateIn(after.get(id), compensation)
      const about = `${step.model} ${id}`
      const said = errors.get(id)
      batch.compensated(
        index,
        compensation.to.includes(state)
          ? `${about} taken back by ${method}, it is ${state} now`
          : `${about} could not be taken back by ${method}, it is ${state}${said === undefined ? "" : `: ${said}`}`,
      )
    }
  },
)

/** For all refused events of the batch. */
export const compensateAll = Effect.fnUntraced(
  function* (steps: ReadonlyArray<Load<unknown>>, batch: Batch, calls: CompanyCalls) {
    for (const step of steps.toReversed()) {
      if (step.compensate !== undefined) yield* compensate(step, step.compensate, batch, calls)
    }
  },
)
