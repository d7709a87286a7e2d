/** The fact that an entity's mode changed, for others: `erp-out.<entity>.mode.changed`. */
import type { Publication } from "../../broker/Broker.ts"
import { toMessage } from "../../broker/cloudevents.ts"
import type { Mode, Standing } from "../../ledger/Governance.ts"

export interface ModeChange {
  readonly entity: string
  /** Unique per entity; the same change published twice has the same. */
  readonly id: string
  readonly atMillis: number
  readonly from: Mode
  readonly standing: Standing
  /** A person's name, or `weir`. */
  readonly actor: string
  readonly reason: string
}

export const modeChanged = ({ actor, atMillis, entity, from, id, reason, standing }: ModeChange): Publication =>
  toMessage(
    {
      specversion: "1.0",
      id: `mode/${id}`,
      source: `weir/${entity}`,
      type: "mode.changed",
      time: new Date(atMillis).toISOString(),
      subject: entity,
      datacontenttype: "application/json",
      data: {
        entity,
        from,
        to: standing.mode,
        actor,
        reason,
        override: standing.override !== null,
        until: standing.override === null || standing.override.untilMillis === null
          ? null
          : new Date(standing.override.untilMillis).toISOString(),
      },
    },
    `erp-out.${entity}.mode.changed`,
    "structured",
  )
