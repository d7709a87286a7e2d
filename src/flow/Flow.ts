/**
 * What a business flow is: a declaration, one file in `streams/`. The engine (`src/actor/`, `src/odoo/plan/`) reads it;
 * a new flow changes nothing here.
 *
 * Methods instead of function properties on purpose: an `EventSpec<Timesheet>` is then an `EventSpec<unknown>`, and the
 * catalogue can list specs of different payloads (the engine hands each spec only payloads its own schema decoded).
 */
import type { BigDecimal, Duration, Schema } from "effect"
import type { Feed, Tells } from "./Feed.ts"
import type { Lane } from "./Lane.ts"
import type { Mask } from "./Mask.ts"
import type { Step } from "./Step.ts"
import type { Write } from "./Write.ts"
import type { Reference } from "../ledger/Ledger.ts"
import type { Contribution, Window } from "../ledger/Windows.ts"
import type { Json } from "../odoo/Odoo.ts"

export type { Reference } from "../ledger/Ledger.ts"

export interface Flow {
  /** Plural noun, the name in status, ledger and external ids: `timesheets`. */
  readonly name: string
  /** Second token of the event types and third of the subjects: `timesheet` in `erp.be01.timesheet.approved`. */
  readonly domain: string
  readonly description: string
  readonly lane: Lane
  readonly batch: {
    /** Most events in one plan run, 1 or more. */
    readonly size: number
    /** How long an incomplete batch waits for more. Zero: not at all. */
    readonly linger: Duration.Input
    /** Most batches of one entity at once. */
    readonly concurrency: number
  }
  /** Most events of one entity in memory: admitted but not settled. At least `batch.size`. */
  readonly inFlight: number
  /** How long an event waits for a missing reference before it becomes an exception. */
  readonly referenceDeadline: Duration.Input
  /**
   * How long an event is tried again, once its turn has come, while Odoo serves others; then it becomes an exception with
   * the last technical reason. Time in which Odoo serves nobody does not count. Default `DEFAULT_RETRY_FOR`.
   */
  readonly retryFor?: Duration.Input
  /** Dependencies beside Odoo by name, for example `tax`: while one of them does not work, only such flows wait. */
  readonly needs?: ReadonlyArray<string>
  /** What it may write in Odoo. Needed when a plan of it writes. */
  readonly mask?: Mask
  /** Records that must be in Odoo before the first event, loaded create-or-skip when an entity starts. */
  readonly seeds?: ReadonlyArray<Seed>
  /** When what its events add up to is told. Needed when one of them `adds`. */
  readonly windows?: Windows
  /** What people change of its records in Odoo, and what others are told of it. */
  readonly feed?: Feed
  readonly events: ReadonlyArray<EventSpec<unknown>>
}

/** How windows of a flow close. What they came to is an event of the flow, so that writing it is like any other event. */
export interface Windows {
  /** A window closes only when nothing was counted in it for this long, so that a backlog is read first. */
  readonly quiet: Duration.Input
  /** The event that tells what a closed window came to. `id`: the same for the same window. */
  closed(window: Window): {
    readonly type: string
    readonly id: string
    readonly data: { readonly [name: string]: unknown }
  }
}

/** Several tries even of calls that end only at Odoo's time limit. */
export const DEFAULT_RETRY_FOR: Duration.Input = "15 minutes"

/** How one event type gets into Odoo. `D` is the decoded payload. */
export interface EventSpec<D> {
  /** `<domain>.<event>` without version: `timesheet.approved`. */
  readonly type: string
  /** Major version of the payload; the type on the wire carries it as `.v2`, version 1 bare. */
  readonly version: number
  /** Decodes `data`; must not need services. */
  readonly schema: Schema.Codec<D, unknown>
  /**
   * Brings the payload of an older major version to the next one, by that older version: an event of version 1 goes
   * through `upcasts[1]`, `upcasts[2]` … and is then decoded by `schema`. One for each version below `version`. Pure; what
   * it throws makes the event `EVENT-INVALID`.
   */
  readonly upcasts?: { readonly [version: number]: (data: unknown) => unknown }
  /** What orders events: one at a time per key, in order of the source's sequence. */
  key(data: D): string
  /**
   * Odoo records that two concurrent calls must not touch: `engagement:ENG-7`. Shared by all flows of the entity. Events of
   * one batch may have them in common, unless a name begins with `=`: then they go one after the other, as two new customers
   * with one VAT number must, or neither would find the other in Odoo.
   */
  parents(data: D): ReadonlyArray<string>
  /** What must be applied before: another object, or a decision of a person (`streams/approvals.ts`). */
  references(data: D): ReadonlyArray<Reference>
  /**
   * Keys that hold this event back while a hold on them stands, for example a dispute. It waits for as long (`ON-HOLD`),
   * durably, and goes on by itself when the hold is lifted.
   */
  holds?(data: D): ReadonlyArray<Reference>
  /**
   * What the plan wants to know of if it is there already, for example that an engagement is closed: nothing is waited for.
   * As the ledger knew it when the event was admitted.
   */
  consults?(data: D): ReadonlyArray<Reference>
  /** What this event does to the hold on its own key. Default and undefined: it leaves it as it is. */
  hold?(data: D): "set" | "lift" | undefined
  /**
   * `gate`: a smaller source sequence after a larger is superseded (master data, versioned objects).
   * `once`: a key is written once; any later event of it with another identity is an `EVENT-CHANGED` exception, but for one
   * with a smaller sequence than what is applied: an event of the same key that follows it was quicker.
   */
  readonly versions: "gate" | "once"
  /** Idempotent steps, in order. Running them again from the start is always safe. */
  readonly plan: ReadonlyArray<Step<D>>
  /** Name of the load step whose record the business key maps to. Left out: the event is a fact without one. */
  readonly record?: string
  /** Of a fact: what those who refer to it read, in a few words. */
  fact?(data: D): string
  /** How the event counts in the completeness proof. Default: by the day on which the broker stored it, and no amounts. */
  control?(data: D): Control
  /** Records of its kind, whoever made them: who else made some is found by it. Default: nobody is looked for. */
  readonly population?: Population
  /** What this event adds to a window of its flow, once, when it is applied. */
  adds?(data: D, nowMillis: number): Contribution
  /**
   * How its record is recognised when another system has made it, so that no external id of Weir's leads to it. Left out: it
   * cannot be.
   */
  readonly alike?: Likeness<D>
  /** How its posted document is taken back and made anew. Left out: what is posted stays as it is. */
  readonly rebill?: Rebill<D>
  /** Types that `outcomes` may have: others are a defect. */
  readonly publishes?: ReadonlyArray<string>
  /** Events that go out when the plan is done, through the transactional outbox. */
  outcomes?(write: Write<D>): ReadonlyArray<OutcomeEvent>
}

/** A record of `record`'s model that another system has made of the same thing. */
export interface Likeness<D> {
  /** Field that holds the source's name of it, unless `shadow.fields` of the entity says another one. */
  readonly field: string
  value(data: D): string
  /** What else is true of such records, beside their company. */
  readonly domain: ReadonlyArray<Json>
  /** It is more than this record, and what else it is cannot be recognised: it is looked at, and cannot be taken over. */
  readonly isPart?: boolean
}

/**
 * How a posted document is corrected when its event is brought again with other values and a second person lets that through:
 * by events of their own, so that they are written, told and proven like all others.
 */
export interface Rebill<D> {
  /** What is read of the posted document. */
  readonly fields: ReadonlyArray<string>
  /** Groups in order: a group is published when what the one before it asks for is applied. */
  events(correction: Correction<D>): ReadonlyArray<ReadonlyArray<CorrectingEvent>>
}

export interface Correction<D> {
  readonly data: D
  /** Business keys of what takes the old document back, and of the new one: the same for the same values. */
  readonly credit: string
  readonly renewal: string
  /** The posted document as it stands: `fields`. */
  readonly document: { readonly [field: string]: Json }
  /** Today, `YYYY-MM-DD`. */
  readonly day: string
  readonly requestedBy: string
  readonly approvedBy: string
  readonly reason: string
}

/** `data` as it is on the wire. */
export interface CorrectingEvent {
  readonly type: string
  readonly key: string
  readonly data: { readonly [name: string]: unknown }
}

/** What of one event is added up. */
export interface Control {
  /** The day that decides to which period it belongs. */
  readonly day: string
  /** What the event says, by the field of its record that must say the same. */
  readonly amounts: { readonly [field: string]: BigDecimal.BigDecimal }
  /** ISO 4217; null: the amounts are no money (hours). */
  readonly currency: string | null
}

/** Records of one kind in Odoo. */
export interface Population {
  readonly model: string
  /** Beside the company and the days. */
  readonly domain: ReadonlyArray<Json>
  /** Field of the day. */
  readonly day: string
}

/** A business fact for others: published on `erp-out.<entity>.<type>`. */
export interface OutcomeEvent {
  /** `<domain>.<event>`: `invoice.posted`. */
  readonly type: string
  readonly data: { readonly [name: string]: unknown }
  /** What it tells of a record that the flow's feed looks after: not sent when others were told that before. */
  readonly tells?: Tells
}

/** A record that the flow needs in every database, for example the service product of time-and-materials lines. */
export interface Seed {
  readonly model: string
  /** Full external id, for example `weir.product_time`. */
  readonly externalId: string
  readonly values: { readonly [column: string]: string | number | boolean }
}

/** Keeps `D` inside and gives the catalogue a spec it can list. */
export const event = <D>(spec: EventSpec<D>): EventSpec<unknown> => spec as EventSpec<never> as EventSpec<unknown>

/** Subject that an entity's consumer of `flow` listens on. */
export const subjectOf = (entity: string, flow: Pick<Flow, "domain">): string => `erp.${entity}.${flow.domain}.>`

/** The parts of a subject by which it gets to a flow; `event` is empty where `subjectOf` matches in no flow. */
export const partsOf = (
  subject: string,
): { readonly entity: string; readonly domain: string; readonly event: string } => {
  const [, entity = "", domain = "", ...event] = subject.split(".")
  return { entity, domain, event: event.join(".") }
}
