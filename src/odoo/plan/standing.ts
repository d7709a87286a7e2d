/** What of an event stands in Odoo, in words for the people who have to deal with its exception. */
import type { EventSpec } from "../../flow/Flow.ts"
import type { Write } from "../../flow/Write.ts"

/** The last state that a step has read of the record that step `of` loaded. */
const stateOf = (spec: EventSpec<unknown>, write: Write<unknown>, of: string): string | undefined => {
  let state: string | undefined
  for (const step of spec.plan) {
    if (step._tag !== "Transition" || step.of !== of) continue
    const value = write.read[step.name]?.[step.field]
    if (typeof value === "string") state = value
  }
  return state
}

/** `account.payment 96 (weir_be01.payments_P-1, in_process), …`, in the plan's order; empty when nothing stands. */
export const standingIn = (
  spec: EventSpec<unknown>,
  write: Write<unknown>,
  externalIdOf: (step: string) => string,
): string =>
  spec.plan.flatMap((step) => {
    const id = step._tag === "Load" ? write.ids[step.name] : undefined
    if (step._tag !== "Load" || id === undefined) return []
    const about = [externalIdOf(step.name), stateOf(spec, write, step.name) ?? ""].filter((word) => word !== "")
    return [`${step.model} ${id}${about.length === 0 ? "" : ` (${about.join(", ")})`}`]
  }).join(", ")
