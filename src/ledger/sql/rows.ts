/** Rows as the driver gives them (int8 is a bigint), and what the port makes of them. */
import type { ReasonCode } from "../../reason/Reason.ts"
import type { ExceptionRecord, HeldEvent, Mapping, Mode, OutboxRow, Ownership, Tally } from "../Ledger.ts"

export interface MappingRow {
  readonly model: string
  readonly odoo_id: bigint
  readonly external_id: string
  readonly version: bigint | null
  readonly links: Readonly<Record<string, number>> | null
}

export const mappingOf = (row: MappingRow): Mapping => ({
  model: row.model,
  id: Number(row.odoo_id),
  externalId: row.external_id,
  version: row.version === null ? null : Number(row.version),
  links: row.links ?? {},
})

export interface HeldRow {
  readonly entity: string
  readonly flow: string
  readonly event_id: string
  readonly type: string
  readonly key: string
  readonly stream_sequence: bigint
  readonly stored_at_millis: bigint
  readonly state: ExceptionRecord["state"]
  readonly code: ReasonCode
  readonly detail: string
  readonly attempts: number
  readonly held_since_millis: bigint
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly data: Uint8Array
}

const messageOf = (row: Pick<HeldRow, "subject" | "headers" | "data">) => ({
  subject: row.subject,
  headers: row.headers,
  data: row.data,
})

export const heldOf = (row: HeldRow): HeldEvent => ({
  eventId: row.event_id,
  flow: row.flow,
  key: row.key,
  streamSequence: Number(row.stream_sequence),
  storedAtMillis: Number(row.stored_at_millis),
  attempts: row.attempts,
  message: messageOf(row),
})

export const exceptionOf = (row: HeldRow): ExceptionRecord => ({
  entity: row.entity,
  flow: row.flow,
  eventId: row.event_id,
  type: row.type,
  key: row.key,
  streamSequence: Number(row.stream_sequence),
  state: row.state,
  code: row.code,
  detail: row.detail,
  attempts: row.attempts,
  heldSinceMillis: Number(row.held_since_millis),
  message: messageOf(row),
})

export interface TallyRow {
  readonly entity: string
  readonly flow: string
  readonly applied: bigint
  readonly superseded: bigint
  readonly duplicate: bigint
  readonly dismissed: bigint
  readonly waiting: bigint
  readonly parked: bigint
  readonly behind: bigint
  readonly ready: bigint
  readonly checkpoint: bigint
  readonly oldest_held_millis: bigint | null
}

export const tallyOf = (row: TallyRow): Tally => ({
  entity: row.entity,
  flow: row.flow,
  applied: Number(row.applied),
  superseded: Number(row.superseded),
  duplicate: Number(row.duplicate),
  dismissed: Number(row.dismissed),
  waiting: Number(row.waiting),
  parked: Number(row.parked),
  behind: Number(row.behind),
  ready: Number(row.ready),
  checkpoint: Number(row.checkpoint),
  oldestHeldMillis: row.oldest_held_millis === null ? null : Number(row.oldest_held_millis),
})

export interface OwnershipRow {
  readonly entity: string
  readonly epoch: bigint
  readonly owner: string
  readonly mode: Mode
  readonly claimed_at_millis: bigint
}

export const ownershipOf = (row: OwnershipRow): Ownership => ({
  entity: row.entity,
  epoch: Number(row.epoch),
  owner: row.owner,
  mode: row.mode,
  claimedAtMillis: Number(row.claimed_at_millis),
})

export interface OutboxTableRow {
  readonly id: bigint
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly data: Uint8Array
  readonly message_id: string
}

export const outboxOf = (row: OutboxTableRow): OutboxRow => ({
  id: Number(row.id),
  publication: { ...messageOf(row), messageId: row.message_id },
})
