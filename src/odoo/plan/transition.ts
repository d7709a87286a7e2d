/**
 * The transition step: reads the state, calls the method once on all records that still need it, reads again. What a
 * person or an earlier try has moved already is left alone; whatever the calls said, the state that is read at the end
 * decides.
 */
import { Effect } from "effect"
import type { Transition } from "../../flow/Step.ts"
import type { CompanyCalls, OdooRecord } from "../CompanyCalls.ts"
import type { MasterData } from "../MasterData.ts"
import type { OdooError } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"
import { dispositionOf } from "../../reason/Reason.ts"
import { blame, isolate, type Isolation } from "./isolate.ts"
import type { KeyedMutex } from "./KeyedMutex.ts"
import { isDated, type Moved, openOf, periodFields, verifyDays } from "./period.ts"

/**
 * One call; when it fails, one look at the states before anybody is blamed: an answer that was lost, or a person, may have
 * moved records, and Odoo refuses a whole batch for one of those.
 */
const move = (
  step: Transition<unknown>,
  ids: ReadonlyArray<number>,
  errors: Map<number, OdooError>,
  calls: CompanyCalls,
) => {
  const isolation: Isolation<number> = {
    call: (ids) => calls.call(step.model, step.method, { ids }),
    refuse: (id, error) => errors.set(id, error),
  }
  return isolation.call(ids).pipe(
    Effect.asVoid,
    Effect.catchIf(
      (error) => dispositionOf(error.code) === "park",
      (error) =>
        ids.length === 1
          ? Effect.sync(() => void errors.set(ids[0]!, error))
          : Effect.flatMap(calls.read(step.model, ids, [step.field]), (records) => {
            const left = ids.filter((id) => step.from.includes(stateOf(records.get(id), step)))
            return left.length < ids.length ? isolate(left, isolation) : blame(ids, error, isolation)
          }),
    ),
  )
}

const stateOf = (record: OdooRecord | undefined, { field }: Transition<unknown>): string => {
  const state = record?.[field]
  return typeof state === "string" ? state : String(state ?? "")
}

export const runTransition = Effect.fnUntraced(
  function* (
    step: Transition<unknown>,
    batch: Batch,
    calls: CompanyCalls,
    { approved, locks, master }: {
      readonly locks: KeyedMutex
      readonly master: MasterData["Service"]
      /** Months whose late documents are approved. */
      readonly approved: ReadonlySet<string>
    },
  ) {
    const fields = [...new Set([step.field, ...step.fields ?? [], ...(isDated(step) ? periodFields(step) : [])])]
    /** Done when it is in `to`; the fields read of the event's first record go to the write. */
    const settled = ({ at, index }: Moved, record: OdooRecord | undefined): boolean => {
      if (record === undefined || !step.to.includes(stateOf(record, step))) return false
      if (at === 0) batch.writes[index]!.read[step.name] = record
      return true
    }
    const refuseAs = ({ id, index }: Moved, record: OdooRecord | undefined, error: OdooError | undefined): void => {
      if (error !== undefined) return batch.refuseFor(index, error)
      const about = `${step.model} ${id}`
      return batch.refuse(
        index,
        record === undefined ? { code: "ODOO-RECORD-MISSING", detail: `${about} is gone` } : {
          code: "ODOO-UNEXPECTED-STATE",
          detail: `${about} is ${stateOf(record, step)}; ${step.method} takes ${step.from.join(", ")} to ${
            step.to.join(", ")
          }`,
        },
      )
    }

    const concerned = batch.with(step.of).flatMap((index) =>
      batch.idsOf(index, step.of).map((id, at): Moved => ({ index, id, at }))
    )
    const before = yield* calls.read(step.model, concerned.map(({ id }) => id), fields)
    const byLock = new Map<string, Array<Moved>>()
    for (const one of concerned) {
      const record = before.get(one.id)
      if (settled(one, record)) continue
      if (!step.from.includes(stateOf(record, step))) {
        refuseAs(one, record, undefined)
        continue
      }
      const lock = step.lock?.(batch.writes[one.index]!) ?? ""
      const group = byLock.get(lock)
      if (group === undefined) byLock.set(lock, [one])
      else group.push(one)
    }
    const errors = new Map<number, OdooError>()
    const days = new Map<Moved, string>()
    /** Lock dates are asked for in here: whoever waits for a lock may wait for long. */
    const moveAll = Effect.fnUntraced(function* (group: ReadonlyArray<Moved>) {
      let open = group.filter(({ index }) => batch.isAlive(index))
      if (isDated(step)) {
        const opened = yield* openOf(step, open, before, batch, calls, master, approved)
        for (const [one, day] of opened) days.set(one, day)
        open = [...opened.keys()].filter(({ index }) => batch.isAlive(index))
      }
      if (open.length > 0) yield* move(step, [...new Set(open.map(({ id }) => id))], errors, calls)
    })
    for (const [lock, group] of byLock) {
      const moved = moveAll(group)
      yield* lock === "" ? moved : locks.run(`${calls.company.entity}/${lock}`, moved)
    }
    const pending = [...byLock.values()].flat().filter(({ index }) => batch.isAlive(index))
    const after = yield* calls.read(step.model, pending.map(({ id }) => id), fields)
    for (const one of pending) {
      const record = after.get(one.id)
      if (!settled(one, record)) refuseAs(one, record, errors.get(one.id))
    }
    if (isDated(step)) yield* verifyDays(step, days, after, batch, calls, master)
  },
)
