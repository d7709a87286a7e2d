/** `Redrives` in memory, step by step as `../sql/desk/redrives.ts`. */
import { type Redrive, Redrives, type RedriveState, type Stepped } from "../Redrives.ts"
import { printable } from "../text.ts"
import { retry } from "./decide.ts"
import type { HeldEntry } from "./state.ts"
import type { Store } from "./Store.ts"

export interface RedriveEntry {
  run: Omit<Redrive, "pending" | "recurred" | "otherwise">
  stepResolved: number
}

export const makeRedrives = (store: Store): typeof Redrives.Service => {
  const { call, of, redrives } = store

  const counts = (entity: string, id: number) => {
    const own = [...of(entity).held.values()].filter(({ redrive }) => redrive === id)
    const pending = own.filter(({ state }) => state === "ready").length
    const recurred = own.filter(({ recurred, state }) => state === "parked" && recurred).length
    return { pending, recurred, otherwise: own.length - pending - recurred }
  }

  const viewOf = ({ run }: RedriveEntry): Redrive => ({ ...run, ...counts(run.entity, run.id) })

  const end = (entry: RedriveEntry, state: RedriveState, said: string, nowMillis: number): RedriveState => {
    entry.run = { ...entry.run, state, said, endedAtMillis: nowMillis }
    return state
  }

  const untried = ({ run: { code, entity, fingerprint, flow, id, startedAtMillis } }: RedriveEntry, size: number) =>
    [...of(entity).held.values()].filter((held: HeldEntry) =>
      held.state === "parked" &&
      (flow === null || held.record.flow === flow) &&
      (code === null || held.code === code) &&
      (fingerprint === null || held.fingerprint === fingerprint) &&
      held.redrive !== id && held.parkedAtMillis !== null && held.parkedAtMillis <= startedAtMillis
    ).toSorted((a, b) => a.heldSinceMillis - b.heldSinceMillis || (a.record.eventId < b.record.eventId ? -1 : 1))
      .slice(0, size).map(({ record }) => record.eventId)

  const step = (id: number, sizes: ReadonlyArray<number>, nowMillis: number): Stepped => {
    const entry = redrives[id - 1]
    if (entry === undefined) return "cancelled"
    const { entity, reason, retried, startedBy, state, step, stepSize } = entry.run
    if (state !== "running") return state
    const { otherwise, pending, recurred } = counts(entity, id)
    if (pending > 0) return "pending"
    const resolved = retried - recurred - otherwise
    if (recurred > 0) {
      return end(entry, "stopped", `the same failure came again: ${recurred} of ${stepSize} in step ${step}`, nowMillis)
    }
    if (stepSize > 0 && resolved === entry.stepResolved) {
      return end(entry, "stopped", `nothing of step ${step} went through, for other causes`, nowMillis)
    }
    const ids = untried(entry, sizes[Math.min(step, sizes.length - 1)] ?? 1)
    if (ids.length === 0) return end(entry, "finished", `${resolved} of ${retried} went through`, nowMillis)
    const acting = { actor: startedBy, reason, decision: "retried", redrive: id } as const
    const count = retry(of(entity), ids, nowMillis, acting)
    entry.run = { ...entry.run, step: step + 1, stepSize: count, retried: retried + count }
    entry.stepResolved = resolved
    return "stepped"
  }

  return Redrives.of({
    start: ({ code, entity, fingerprint, flow }, by, reason) =>
      call("start", (now) => {
        const id = redrives.length + 1
        redrives.push({
          stepResolved: 0,
          run: {
            id,
            entity,
            flow,
            code,
            fingerprint,
            state: "running",
            said: "",
            reason: printable(reason),
            startedBy: printable(by),
            startedAtMillis: now,
            endedAtMillis: null,
            step: 0,
            stepSize: 0,
            retried: 0,
          },
        })
        return id
      }),
    step: (id, sizes) => call("step", (now) => step(id, sizes, now)),
    cancel: (id, by) =>
      call("cancel", (now) => {
        const entry = redrives[id - 1]
        if (entry === undefined || entry.run.state !== "running") return false
        end(entry, "cancelled", `by ${printable(by)}`, now)
        return true
      }),
    one: (id) =>
      call("redrive", () => {
        const entry = redrives[id - 1]
        return entry === undefined ? null : viewOf(entry)
      }),
    list: ({ before, entities, limit, state }) =>
      call(
        "redrives",
        () =>
          redrives.toReversed().filter(({ run }) =>
            (entities === null || entities.includes(run.entity)) &&
            (state === undefined || run.state === state) &&
            (before === null || run.id < before)
          ).slice(0, limit).map(viewOf),
      ),
  })
}
