/** What of an event is recorded when an empty ledger is rebuilt, and what is left to the flow. Pure. */
import { HELD } from "../actor/hold.ts"
import type { Outcome } from "../ledger/Ledger.ts"
import type { Examined } from "../replay/Examiner.ts"

/** Highest version of each business key in the stream, of events that overwrite each other. */
export class Versions {
  readonly #highest = new Map<string, number>()

  add({ event, payload }: Examined["item"]): void {
    if (payload?.spec.versions !== "gate" || event.version === null) return
    const name = `${event.flow} ${event.key}`
    this.#highest.set(name, Math.max(event.version, this.#highest.get(name) ?? event.version))
  }

  /** A later event of its key says what must stand. */
  isOvertaken({ event, payload }: Examined["item"]): boolean {
    const highest = this.#highest.get(`${event.flow} ${event.key}`)
    return payload?.spec.versions === "gate" && event.version !== null && highest !== undefined &&
      event.version < highest
  }
}

/** Its records stand, and all that it does to them is done. What differs, a person has changed since. */
const isDone = ({ finding, item, sight }: Examined, versions: Versions): boolean => {
  if (sight === null || sight.record === null || sight.missing.length > 0 || sight.refusal !== null) return false
  if (versions.isOvertaken(item)) return true
  if (sight.pending.length > 0) return false
  switch (finding.class) {
    case "unrecorded":
      return true
    // Made by its own external id, with these values.
    case "changed":
      return item.payload?.spec.versions === "once"
    // Whether the newest values were written, only what stands can tell.
    case "update":
      return sight.differences.length === 0
    default:
      return false
  }
}

/**
 * The outcome that the ledger had; null: it is left to the flow, whose plan begins again and finds what stands. `known`: the
 * ledger has the event already. Facts and what adds up in windows are left: Odoo cannot tell of them.
 */
export const recordedOf = (examined: Examined, versions: Versions): Outcome | "known" | null => {
  const { answer, finding, item: { event, payload }, sight } = examined
  if (answer.seen !== null) return "known"
  if (payload === null || payload.spec.record === undefined || payload.spec.adds !== undefined) return null
  if (payload.spec.hold !== undefined) return null
  if (finding.class === "superseded") return { _tag: "Superseded", event }
  if (!isDone(examined, versions)) return null
  const { links, parts, record } = sight!
  const previous = answer.mapping?.links ?? {}
  const held = previous[HELD]
  const mapping = {
    ...record!,
    version: event.version,
    links: { ...previous, ...links, ...(held !== undefined && { [HELD]: held }) },
  }
  return {
    _tag: "Applied",
    event: { ...event, attempts: Math.max(1, event.attempts) },
    mapping,
    outbox: [],
    ...(parts.length > 0 && { marks: parts }),
  }
}
