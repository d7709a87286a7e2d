/** From what the ledger knows and what stands in Odoo to the class of a finding. Pure. */
import { standsIn } from "../actor/hold.ts"
import type { Item, Payload } from "../actor/Item.ts"
import type { Answer, Mapping, Reference } from "../ledger/Ledger.ts"
import type { LatePolicy } from "../odoo/Locks.ts"
import type { Sight } from "../odoo/plan/preview/Sight.ts"
import type { Finding } from "./Finding.ts"

/** What is to be looked at in Odoo, or what is known already. */
export type Judgement =
  | { readonly _tag: "Known"; readonly finding: Finding }
  | { readonly _tag: "Look"; readonly payload: Payload; readonly references: ReadonlyArray<Mapping> }

const known = (finding: Finding): Judgement => ({ _tag: "Known", finding })

/** Stands for a record that would be created before, in the same run. */
const PLANNED: Mapping = { model: "", id: 0, externalId: "", version: null, links: {} }

/**
 * What the ledger says. `planned`: whether a business key would be applied earlier in the same run.
 */
export const judge = (
  { event, payload, rejection }: Pick<Item, "event" | "payload" | "rejection">,
  { blocked, mapping, references, seen }: Answer,
  planned: (reference: Reference) => boolean,
): Judgement => {
  if (seen?.state === "dismissed") return known({ class: "dismissed" })
  if (seen?.state === "superseded") return known({ class: "superseded" })
  if (seen !== null && seen.state !== "applied") {
    return known({ class: "held", note: `the ledger holds it (${seen.state})` })
  }
  if (payload === null) return known({ class: "refused", code: rejection!.code, note: rejection!.detail })
  if (seen === null && blocked) return known({ class: "held", note: `an earlier event of ${event.key} is not done` })
  const { version } = event
  if (mapping !== null && mapping.version !== null) {
    // Of an applied event without a number it is known that it came before those that have one.
    const overtaken = version === null
      ? seen !== null
      : version < mapping.version || (version === mapping.version && seen === null)
    if (overtaken) {
      return known({ class: "superseded", note: `version ${mapping.version} of ${event.key} was applied` })
    }
  }
  const found: Array<Mapping> = []
  for (const [n, reference] of payload.references.entries()) {
    const own = references[n] ?? (planned(reference) ? PLANNED : null)
    if (own === null) {
      return known({
        class: "missing",
        code: "REFERENCE-MISSING",
        note: `${reference.flow} ${reference.key} is not in the ledger`,
      })
    }
    found.push(own)
  }
  for (const [n, hold] of payload.holds.entries()) {
    const own = references[payload.references.length + n]
    if (seen === null && own != null && standsIn(own)) {
      return known({ class: "held", code: "ON-HOLD", note: `held back by ${hold.flow} ${hold.key}` })
    }
  }
  return { _tag: "Look", payload, references: found }
}

/** What is done about a document in a locked period, and whether its month is approved. */
export interface Lateness {
  readonly policy: LatePolicy
  readonly approved: boolean
}

/** What the ledger knows of an event. */
export interface Known {
  /** It has the event as applied. */
  readonly applied: boolean
  /** It does not know the event, and an older version of its key was applied. */
  readonly newer: boolean
  /** The event has no record in Odoo. */
  readonly isFact: boolean
}

/** What stands in Odoo says the rest. */
export const classOf = (sight: Sight, { applied, isFact, newer }: Known, lateness: Lateness): Finding => {
  const { differences, locked, missing, objection, pending, record } = sight
  // What was applied and would not be today can not be made again; where it stands, it was overtaken by what is the reason.
  const refusal = sight.refusal ?? (missing.length > 0 ? objection : null)
  const rest = {
    ...(record !== null && { record }),
    missing,
    differences,
    pending,
    ...(locked !== null && { locked }),
  }
  if (refusal !== null) {
    const isReference = refusal.code === "REFERENCE-MISSING" || refusal.code === "ODOO-RECORD-MISSING"
    return { ...rest, class: isReference ? "missing" : "refused", code: refusal.code, note: refusal.detail }
  }
  if (objection !== null && differences.length + pending.length > 0) {
    return { ...rest, class: "superseded", code: objection.code, note: objection.detail }
  }
  const shut = locked !== null &&
    (lateness.policy === "exception" || (lateness.policy === "approval" && !lateness.approved))
  if (newer) return { ...rest, class: shut ? "locked" : "update" }
  if (missing.length > 0) return { ...rest, class: shut ? "locked" : "create" }
  // What was applied and is not done any more was taken back by a person: no policy of the plan says that it comes again.
  const takenBack = applied && pending.some(({ harmless }) => !harmless)
  if (differences.length > 0 || takenBack) return { ...rest, class: "changed" }
  if (pending.length > 0) return { ...rest, class: shut ? "locked" : "unfinished" }
  if (applied) return { ...rest, class: "there" }
  return { ...rest, class: isFact ? "create" : "unrecorded" }
}
