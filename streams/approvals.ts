/**
 * Decisions of people, for the flows that wait for one. A decision has no record in Odoo: it is a fact of the ledger.
 *
 *   approval.granted | approval.rejected ─> fact `granted by <person>` ─> releases who waits for it
 */
import { Approval } from "../schemas/approval.ts"
import { event, type EventSpec, type Flow, type Reference } from "../src/flow/Flow.ts"
import type { Refusal } from "../src/flow/Step.ts"

type Mapping = { readonly externalId: string }

const FLOW = "approvals"

/** What an event refers to that may go on only after a decision about `key` of `flow`. */
export const approvalOf = (flow: string, key: string): Reference => ({ flow: FLOW, key: `${flow}-${key}` })

/** The decision in the mapping of such a reference. */
export const decisionOf = ({ externalId }: Mapping): { readonly granted: boolean; readonly by: string } => ({
  granted: externalId.startsWith("granted by "),
  by: externalId.slice(externalId.indexOf(" by ") + 4),
})

/** Why the decision does not let `key` of `flow` go on, which `requester` asked for; undefined when it does. */
export const obstacleIn = (mapping: Mapping, flow: string, key: string, requester: string): Refusal | undefined => {
  const { by, granted } = decisionOf(mapping)
  if (!granted) return { code: "APPROVAL-REJECTED", detail: `${flow} ${key}: rejected by ${by}` }
  return by.toLowerCase() === requester.toLowerCase()
    ? { code: "APPROVAL-SAME-PERSON", detail: `${flow} ${key} was requested and approved by ${by}` }
    : undefined
}

const decided = (type: "granted" | "rejected"): EventSpec<unknown> =>
  event<Approval>({
    type: `approval.${type}`,
    version: 1,
    schema: Approval,
    key: ({ flow, key }) => `${flow}-${key}`,
    parents: () => [],
    references: () => [],
    versions: "gate",
    plan: [],
    fact: ({ by }) => `${type} by ${by}`,
  })

export const approvals: Flow = {
  name: FLOW,
  domain: "approval",
  description: "Decisions of people release what waits for them",
  lane: "critical",
  batch: { size: 100, linger: "20 millis", concurrency: 1 },
  inFlight: 400,
  referenceDeadline: "1 day",
  events: [decided("granted"), decided("rejected")],
}
