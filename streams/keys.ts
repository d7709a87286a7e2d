/**
 * Names that the flows share: locks on Odoo records that two flows touch, and external ids by which one flow finds what
 * another wrote. They never change, or repeated writes would no longer find their records.
 */
import type { Reference } from "../src/flow/Flow.ts"
import { externalId } from "../src/flow/Write.ts"

/** Locks. Whoever writes to the customer, the engagement's order and tasks, or the invoice, holds it. */
export const parent = {
  customer: (key: string): string => `customer:${key}`,
  engagement: (key: string): string => `engagement:${key}`,
  invoice: (key: string): string => `invoice:${key}`,
}

/** External ids of customers and invoices. */
export const customerId = (entity: string, key: string): string => externalId(entity, "customers", key)

/**
 * A line, task or milestone of an engagement as other flows refer to it: they wait until it is there, whoever brings it, the
 * activation, an amendment or a rate.
 */
export const engagementPart = (key: string, role: "line" | "task" | "milestone", part: string): Reference => ({
  flow: "engagements",
  key: `${key}.${role}-${part}`,
})

/** External ids of an engagement's records; `order` is the one that the engagement's key maps to. */
export const engagementIds = (entity: string, key: string) => {
  const part = (name?: string): string => externalId(entity, "engagements", key, name)
  return {
    analytic: part("analytic"),
    project: part("project"),
    order: part(),
    line: (line: string): string => part(`line-${line}`),
    task: (task: string): string => part(`task-${task}`),
    milestone: (milestone: string): string => part(`milestone-${milestone}`),
  }
}
