/** Outcome events with the data that their schema wants (`schemas/facts.ts`): another is a type error. */
import type { FactData, FactType } from "../schemas/facts.ts"
import type { Tells } from "../src/flow/Feed.ts"
import type { OutcomeEvent } from "../src/flow/Flow.ts"

export const fact = <T extends FactType>(type: T, data: FactData<T>, tells?: Tells): OutcomeEvent => ({
  type,
  data,
  ...(tells !== undefined && { tells }),
})

/** A text that Odoo has or has not: it says `false` then. */
export const textOf = (value: unknown): string | null => typeof value === "string" ? value : null
