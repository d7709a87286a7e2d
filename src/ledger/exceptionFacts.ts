/**
 * What others are told of exceptions, through the outbox, in the transaction that changes them:
 *
 *     raised ───────────────► `exception.raised`      once per cause: tried again and failed for the same, nothing is said
 *     resolved, dismissed ──► `exception.resolved`
 *
 * Whoever changes a held event: an owner that settles, a deadline, a person at the desk. The facts name entity, flow, key
 * and code and hold nothing of the payload; `causationid` is the event that is held.
 */
import type { Publication } from "../broker/Broker.ts"
import { toMessage } from "../broker/cloudevents.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import type { HistoryAction } from "./Desk.ts"

export const FACT_TYPES = { raised: "exception.raised", resolved: "exception.resolved" } as const

/** Headers of a structured CloudEvent. */
export const HEADERS = { "content-type": "application/cloudevents+json" } as const

/** How an exception ended: its event was written, a newer version stood already, or a person gave it up. */
export type Ending = "applied" | "superseded" | "dismissed"

export interface ExceptionFact {
  readonly entity: string
  /** Position in the history of exceptions: what makes the fact's id one of its own. */
  readonly position: number
  readonly atMillis: number
  readonly action: HistoryAction
  readonly flow: string
  readonly key: string
  readonly code: ReasonCode
  readonly eventId: string
  readonly correlationId: string | null
  /** Of a resolved one. */
  readonly ending: Ending
}

/** The fact for others; undefined when this is nothing to tell. The twin of `sql/desk/facts.ts`. */
export const factOf = (fact: ExceptionFact): Publication | undefined => {
  const { action, atMillis, code, correlationId, ending, entity, eventId, flow, key, position } = fact
  if (action !== "raised" && action !== "resolved" && action !== "dismissed") return undefined
  const type = action === "raised" ? FACT_TYPES.raised : FACT_TYPES.resolved
  return toMessage(
    {
      specversion: "1.0",
      id: `exception/${position}`,
      source: `weir/${entity}`,
      type,
      time: new Date(atMillis).toISOString(),
      subject: key,
      causationid: eventId,
      correlationid: correlationId ?? eventId,
      datacontenttype: "application/json",
      data: { entity, flow, key, code, ...(action !== "raised" && { how: ending }) },
    },
    `erp-out.${entity}.${type}`,
    "structured",
  )
}
