/**
 * Which rules a Weir writes by: its release, and a digest of what the flows declare as data: masks, event versions, the steps of
 * their plans. The ledger keeps it with each event.
 */
import { createHash } from "node:crypto"
import type { Flow } from "./Flow.ts"

/** Functions are the release's; what is left is data. */
const declared = ({ events, mask, name }: Flow) => ({
  name,
  mask,
  events: events.map(({ plan, record, type, version, versions }) => ({ type, version, versions, record, plan })),
})

/** `0.1.0+3fa81c22`. */
export const rulesOf = (release: string, flows: ReadonlyArray<Flow>): string =>
  `${release}+${createHash("sha256").update(JSON.stringify(flows.map(declared))).digest("hex").slice(0, 8)}`
