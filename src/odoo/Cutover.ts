/**
 * From which day on Weir writes what of a legal entity that another system wrote before. What is dated earlier is that
 * system's: Weir looks for it and takes it over as it is. Pure.
 *
 *     dated before the day ──► taken over, or an exception          from the day on ──► written
 */
import type { EventSpec } from "../flow/Flow.ts"
import type { Company } from "./Company.ts"

export interface Cutover {
  /** First day, `YYYY-MM-DD`, by flow. A flow that is not named is Weir's from the beginning. */
  readonly from: Readonly<Record<string, string>>
  /** A later first day for documents of a journal, by its role. */
  readonly journals?: Readonly<Record<string, string>>
}

/**
 * The day of what an event is about: of its accounting, or of what it counts for. Of what has versions, the day on which the
 * broker stored it: a correction of something earlier is Weir's when it comes after the cut-over.
 */
export const dayOf = (spec: EventSpec<unknown>, data: unknown, storedAtMillis: number): string => {
  const stored = new Date(storedAtMillis).toISOString().slice(0, 10)
  if (spec.versions === "gate") return stored
  for (const step of spec.plan) {
    if (step._tag === "Transition" && step.period !== undefined) return step.period.date(data)
  }
  return spec.control?.(data).day ?? stored
}

/** The role of the journal that a document is posted in; undefined: it is none, or in none that is named. */
const journalOf = (spec: EventSpec<unknown>, data: unknown, company: Company, roles: ReadonlyArray<string>) => {
  for (const step of spec.plan) {
    if (step._tag !== "Transition" || step.lock === undefined) continue
    const lock = step.lock({ data, company, key: "", references: [], previous: null, ids: {}, read: {} })
    return roles.find((role) => lock === `journal:${company.database}:${company.journals[role] ?? role}`)
  }
  return undefined
}

/** First day that is Weir's, when the event is dated before it; null: it is Weir's. */
export const cutoverOf = (
  spec: EventSpec<unknown>,
  flow: string,
  data: unknown,
  storedAtMillis: number,
  company: Company,
): { readonly day: string; readonly from: string } | null => {
  const { cutover } = company
  const general = cutover?.from[flow]
  if (cutover === undefined || general === undefined) return null
  const { journals = {} } = cutover
  const role = journalOf(spec, data, company, Object.keys(journals))
  const own = role === undefined ? general : journals[role]!
  const from = own > general ? own : general
  const day = dayOf(spec, data, storedAtMillis)
  return day < from ? { day, from } : null
}
