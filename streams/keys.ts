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
  subscription: (key: string): string => `subscription:${key}`,
  /** What tells two customers apart: never two at once, not even in one batch. */
  identity: (what: "vat" | "ref", value: string): string => `=${what}:${value}`,
}

/** External ids of customers and invoices. */
export const customerId = (entity: string, key: string): string => externalId(entity, "customers", key)

export const contactId = (entity: string, key: string, contact: string): string =>
  externalId(entity, "customers", key, `contact-${contact}`)

/** The customer number in an external id of a customer; undefined when it is none of the entity's customers. */
export const customerKeyOf = (entity: string, name: string): string | undefined => {
  const prefix = customerId(entity, "")
  return name.startsWith(prefix) && !name.slice(prefix.length).includes(".") ? name.slice(prefix.length) : undefined
}

/**
 * A line, task or milestone of an engagement as other flows refer to it: they wait until it is there, whoever brings it, the
 * activation, an amendment or a rate.
 */
export const engagementPart = (key: string, role: "line" | "task" | "milestone", part: string): Reference => ({
  flow: "engagements",
  key: `${key}.${role}-${part}`,
})

/** The same of a subscription: a version of its plan, or a proration. */
export const subscriptionPart = (key: string, line: string): Reference => ({
  flow: "subscriptions",
  key: `${key}.line-${line}`,
})

/** External ids of a subscription's order and its lines. */
export const subscriptionIds = (entity: string, key: string) => ({
  order: externalId(entity, "subscriptions", key),
  line: (line: string): string => externalId(entity, "subscriptions", key, `line-${line}`),
})

/** External ids of an engagement's records, each made when it is asked for: a time line needs three of them. */
class EngagementIds {
  readonly #entity: string
  readonly #key: string

  constructor(entity: string, key: string) {
    this.#entity = entity
    this.#key = key
  }

  get analytic(): string {
    return this.#part("analytic")
  }
  get project(): string {
    return this.#part("project")
  }
  /** The one that the engagement's key maps to. */
  get order(): string {
    return this.#part()
  }
  line(line: string): string {
    return this.#part(`line-${line}`)
  }
  task(task: string): string {
    return this.#part(`task-${task}`)
  }
  milestone(milestone: string): string {
    return this.#part(`milestone-${milestone}`)
  }

  #part(name?: string): string {
    return externalId(this.#entity, "engagements", this.#key, name)
  }
}

export const engagementIds = (entity: string, key: string) => new EngagementIds(entity, key)
