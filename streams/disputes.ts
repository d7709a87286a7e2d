/**
 * A dispute marks the invoices that it is about, and holds the billing of its engagement until it is lifted.
 *
 *   dispute.opened ─> account.move blocked, engagement on hold ─> engagement.billing-held goes out
 *   dispute.lifted ─> invoices as they stand, hold lifted      ─> engagement.billing-released goes out
 *
 * Its events are ordered by engagement, because that is what is held: `sequence` counts them.
 */
import { DisputeLifted, DisputeOpened } from "../schemas/dispute.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { block, unblock } from "./blocking.ts"
import { fact } from "./facts.ts"
import { parent } from "./keys.ts"
import { maskOf } from "./ownership.ts"

type Dispute = DisputeOpened | DisputeLifted

const spec = {
  version: 1,
  // `#` is in no business key: a dispute without an engagement holds nobody back.
  key: ({ engagement, key }: Dispute) => engagement ?? `dispute#${key}`,
  parents: ({ invoices }: Dispute) => invoices.map(parent.invoice),
  references: ({ engagement, invoices }: Dispute) => [
    ...invoices.map((key) => ({ flow: "invoices", key })),
    ...(engagement === undefined ? [] : [{ flow: "engagements", key: engagement }]),
  ],
  versions: "gate",
} as const

const opened = event<DisputeOpened>({
  ...spec,
  type: "dispute.opened",
  schema: DisputeOpened,
  hold: () => "set",
  plan: [block<DisputeOpened>(({ data, references }) => references.slice(0, data.invoices.length))],
  fact: ({ key, reason }) => `${key} is open${reason === undefined ? "" : `: ${reason}`}`,
  publishes: ["engagement.billing-held"],
  outcomes: ({ data }) =>
    data.engagement === undefined
      ? []
      : [fact("engagement.billing-held", { engagement: data.engagement, dispute: data.key })],
})

const lifted = event<DisputeLifted>({
  ...spec,
  type: "dispute.lifted",
  schema: DisputeLifted,
  hold: ({ othersOpen }) => othersOpen === true ? undefined : "lift",
  plan: [unblock<DisputeLifted>(({ data, references }) => references.slice(0, data.invoices.length))],
  fact: ({ key }) => `${key} is lifted`,
  publishes: ["engagement.billing-released"],
  outcomes: ({ data }) =>
    data.engagement === undefined || data.othersOpen === true
      ? []
      : [fact("engagement.billing-released", { engagement: data.engagement, dispute: data.key })],
})

export const disputes: Flow = {
  name: "disputes",
  domain: "dispute",
  description: "Disputes mark their invoices and hold the billing of their engagement until they are lifted",
  lane: "critical",
  batch: { size: 25, linger: "50 millis", concurrency: 1 },
  inFlight: 100,
  referenceDeadline: "1 day",
  mask: maskOf("disputes"),
  events: [opened, lifted],
}
