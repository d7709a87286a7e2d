/**
 * Names that the flows share: locks on Odoo records that two flows touch, and external ids by which one flow finds what
 * another wrote. They never change, or repeated writes would no longer find their records.
 */
import { externalId } from "../src/flow/Write.ts"

/** Locks. Whoever writes to the customer, the engagement's order and tasks, or the invoice, holds it. */
export const parent = {
  customer: (key: string): string => `customer:${key}`,
  engagement: (key: string): string => `engagement:${key}`,
  invoice: (key: string): string => `invoice:${key}`,
}

/** External ids of customers and invoices. */
export const customerId = (entity: string, key: string): string => externalId(entity, "customers", key)

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
