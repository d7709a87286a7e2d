/**
 * Closing an engagement: its project is archived and its order locked, and the ledger keeps the fact, which other flows
 * consult. Work that was done up to the last day may come in later; what happened after it is an exception.
 */
import { EngagementClosed, EngagementReopened } from "../schemas/engagement.ts"
import { event, type Reference } from "../src/flow/Flow.ts"
import { invoke, read, type Refusal, type Step, update } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import type { Mapping } from "../src/ledger/Ledger.ts"
import { fact } from "./facts.ts"
import { parent } from "./keys.ts"

/** The key of closing and reopening, which are ordered among themselves and not with amendments. */
export const closingKey = (engagement: string): string => `${engagement}.closing`

/** What a flow consults that must not write to closed engagements. */
export const closingOf = (engagement: string): Reference => ({ flow: "engagements", key: closingKey(engagement) })

const CLOSED = "closed on "

/** The last day of work of a closed engagement; undefined while it is open. */
export const closedOn = (closing: Mapping | null | undefined): string | undefined =>
  closing?.externalId.startsWith(CLOSED) === true ? closing.externalId.slice(CLOSED.length) : undefined

/** Why something of `day` can no longer be written to the engagement; undefined when it can. Without a day: whenever. */
export const lateFor = (engagement: string, closing: Mapping | null | undefined, day?: string): Refusal | undefined => {
  const last = closedOn(closing)
  if (last === undefined || (day !== undefined && day <= last)) return undefined
  return {
    code: "ENGAGEMENT-CLOSED",
    detail: day === undefined
      ? `${engagement} was closed on ${last}`
      : `${engagement} was closed on ${last}, this is of ${day}`,
  }
}

const order = ({ references }: Write<unknown>): ReadonlyArray<number> => references.map((mapping) => mapping.id)
const project = ({ references }: Write<unknown>): ReadonlyArray<number> =>
  references.flatMap((mapping) => mapping.links["project"] ?? [])

const dates: Step<unknown> = read({ name: "dates", model: "project.project", records: project, fields: ["date_start"] })

/** The project's end. Odoo keeps it only with a start, and one of the two alone not at all. */
const until = (write: Write<unknown>, date: string): { readonly [field: string]: string } => {
  const [record] = (write.read["dates"]?.["records"] ?? []) as ReadonlyArray<{ readonly date_start?: unknown }>
  return typeof record?.date_start === "string" ? { date_start: record.date_start, date } : {}
}

export const closed = event<EngagementClosed>({
  type: "engagement.closed",
  version: 1,
  schema: EngagementClosed,
  key: ({ key }) => closingKey(key),
  parents: ({ key }) => [parent.engagement(key)],
  references: ({ key }) => [{ flow: "engagements", key }],
  versions: "gate",
  plan: [
    dates,
    update<EngagementClosed>({
      name: "archive",
      model: "project.project",
      records: project,
      values: (write) => ({ active: false, ...until(write, write.data.date) }),
    }),
    invoke({ name: "lock", model: "sale.order", method: "action_lock", records: order }),
  ],
  fact: ({ date }) => `${CLOSED}${date}`,
  publishes: ["engagement.closed"],
  outcomes: ({ data }) => [
    fact("engagement.closed", { engagement: data.key, date: data.date, reason: data.reason ?? null }),
  ],
})

export const reopened = event<EngagementReopened>({
  type: "engagement.reopened",
  version: 1,
  schema: EngagementReopened,
  key: ({ key }) => closingKey(key),
  parents: ({ key }) => [parent.engagement(key)],
  references: ({ key }) => [{ flow: "engagements", key }],
  versions: "gate",
  plan: [
    dates,
    update<EngagementReopened>({
      name: "activate",
      model: "project.project",
      records: project,
      values: (write) => ({ active: true, ...(write.data.endDate !== undefined && until(write, write.data.endDate)) }),
    }),
    invoke({ name: "unlock", model: "sale.order", method: "action_unlock", records: order }),
  ],
  fact: () => "reopened",
  publishes: ["engagement.reopened"],
  outcomes: ({ data }) => [fact("engagement.reopened", { engagement: data.key })],
})
