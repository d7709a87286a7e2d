/** `Runs` in memory, step by step as `../sql/runs.ts`. */
import { type NewRun, type Run, type RunEvent, Runs, type RunState } from "../Runs.ts"
import { printable } from "../text.ts"
import type { Store } from "./Store.ts"

export interface RunEntry {
  run: Run
  readonly events: Map<number, RunEvent>
}

/** By entity and run id. */
export type RunsState = Map<string, RunEntry>

const nameOf = (entity: string, runId: string): string => `${entity}\n${runId}`

const fresh = (run: NewRun, nowMillis: number): Run => ({
  ...run,
  requestedBy: printable(run.requestedBy),
  reason: printable(run.reason),
  appliedBy: "",
  createdAtMillis: nowMillis,
  changedAtMillis: nowMillis,
  progress: {},
  totals: {},
  result: null,
  trouble: "",
})

/** Newest first. */
const order = (a: Pick<Run, "createdAtMillis" | "runId" | "entity">, b: typeof a): number =>
  b.createdAtMillis - a.createdAtMillis || (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0) ||
  (a.entity < b.entity ? -1 : a.entity > b.entity ? 1 : 0)

const finals: ReadonlyArray<RunState> = ["done", "cancelled", "failed"]

export const makeRuns = ({ call, runs }: Store): typeof Runs.Service =>
  Runs.of({
    open: (run) =>
      call("openRun", (now) => {
        const name = nameOf(run.entity, run.runId)
        if (runs.has(name)) return false
        runs.set(name, { run: fresh(run, now), events: new Map() })
        return true
      }),
    run: (entity, runId) => call("run", () => runs.get(nameOf(entity, runId))?.run ?? null),
    runs: ({ before, entities, entity, kind, limit, runId, states }) =>
      call("runs", () =>
        [...runs.values()].map(({ run }) => run)
          .filter((run) =>
            (entity === undefined || run.entity === entity) &&
            (entities === undefined || entities.includes(run.entity)) && (runId === undefined || run.runId === runId) &&
            (kind === undefined || run.kind === kind) && (states === undefined || states.includes(run.state)) &&
            (before === undefined || order(before, run) < 0)
          )
          .toSorted(order).slice(0, limit)),
    change: (entity, runId, from, change) =>
      call("changeRun", (now) => {
        const entry = runs.get(nameOf(entity, runId))
        if (entry === undefined || !from.includes(entry.run.state)) return null
        const { appliedBy, trouble } = change
        entry.run = {
          ...entry.run,
          ...change,
          ...(appliedBy !== undefined && { appliedBy: printable(appliedBy) }),
          ...(trouble !== undefined && { trouble: printable(trouble) }),
          changedAtMillis: now,
        }
        return entry.run
      }),
    keep: (entity, runId, events) =>
      call("keepRunEvents", () => {
        const entry = runs.get(nameOf(entity, runId))
        for (const event of entry === undefined ? [] : events) {
          const { eventId, key, message, type } = event
          entry!.events.set(event.ordinal, {
            ...event,
            eventId: printable(eventId),
            key: printable(key),
            type: printable(type),
            message: message === null
              ? null
              : { subject: printable(message.subject), headers: { ...message.headers }, data: message.data.slice() },
          })
        }
      }),
    events: ({ after, entity, findings, limit, pending = false, runId }) =>
      call("runEvents", () =>
        [...runs.get(nameOf(entity, runId))?.events.values() ?? []]
          .filter((event) =>
            event.ordinal > after && (findings === undefined || findings.includes(event.finding)) &&
            (!pending || (event.message !== null && event.outcome === null))
          )
          .toSorted((a, b) => a.ordinal - b.ordinal).slice(0, limit)),
    conclude: (entity, runId, conclusions) =>
      call("concludeRunEvents", () => {
        const entry = runs.get(nameOf(entity, runId))
        for (const { detail, ordinal, outcome } of conclusions) {
          const known = entry?.events.get(ordinal)
          if (known === undefined) continue
          entry?.events.set(ordinal, {
            ...known,
            message: null,
            outcome: printable(outcome),
            detail: detail ?? known.detail,
          })
        }
      }),
    forget: (beforeMillis, limit) =>
      call("forgetRuns", () => {
        const gone = [...runs].filter(([, { run }]) => finals.includes(run.state) && run.changedAtMillis < beforeMillis)
          .slice(0, limit)
        for (const [name] of gone) runs.delete(name)
        return gone.length
      }),
  })
