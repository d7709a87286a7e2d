/**
 * Fifth stage: a batch goes through its write plan until every event of it has an outcome. Passing trouble is repeated
 * here, however long it lasts: the plan is idempotent, the pump keeps the broker informed, and the flow's bounds hold
 * back what comes behind.
 */
import { Cause, Clock, Effect } from "effect"
import type { Flow } from "../flow/Flow.ts"
import type { Write } from "../flow/Write.ts"
import type { Outcome, Reference } from "../ledger/Ledger.ts"
import type { Company } from "../odoo/Company.ts"
import type { OdooError } from "../odoo/Odoo.ts"
import { Plan, type WriteResult } from "../odoo/plan/Plan.ts"
import { dispositionOf, type ReasonCode } from "../reason/Reason.ts"
import type { Item, Payload } from "./Item.ts"
import { publicationsOf } from "./outbox.ts"
import { writeBackoff } from "./patience.ts"

export interface Writing {
  readonly flow: Flow
  readonly company: Company
  /** Create, never post. */
  readonly drafts: boolean
  /** Told why a try did not go through and how many events it was about, and null when one did. */
  readonly troubled: (error: OdooError | null, events: number) => Effect.Effect<void>
}

interface Pending {
  readonly item: Item
  readonly payload: Payload
}

/** What an event waits for that is drafted and may not be posted: the ledger releases it with the mode. */
const POSTING: Reference = { flow: "mode", key: "full" }
/** The end of the year 9999: postings that are owed do not expire. */
const NEVER = 253_402_300_799_000
/** Tries that pass between two lines in the log about the same trouble. */
const QUIET_TRIES = 12

/** Outcomes of items that are to be written, all of one flow. Never fails: ends when every item has its outcome. */
export const writeAll = Effect.fnUntraced(function* (items: ReadonlyArray<Item>, writing: Writing) {
  const plan = yield* Plan
  const outcomes = new Map<Item, Outcome>()
  const { flow, troubled } = writing

  const attempt = Effect.fnUntraced(function* (group: ReadonlyArray<Pending>) {
    const writes = group.map(({ item, payload }): Write<unknown> => ({
      data: payload.data,
      key: item.event.key,
      company: writing.company,
      references: item.verdict._tag === "Write" ? item.verdict.references : [],
      ids: {},
      read: {},
    }))
    for (const { item } of group) item.attempts++
    const results = yield* plan.run(group[0]!.payload.spec, writes, {
      flow: flow.name,
      lane: flow.lane,
      drafts: writing.drafts,
    })
    const now = yield* Clock.currentTimeMillis
    group.forEach((pending, index) =>
      outcomes.set(pending.item, outcomeOf(pending, results[index]!, writes[index]!, writing.drafts, now))
    )
  })

  const park = (group: ReadonlyArray<Pending>, code: ReasonCode, detail: string): void => {
    for (const { item } of group) outcomes.set(item, parked(item, code, detail))
  }

  /** Repeats while the trouble is a passing one; whatever else Odoo says of a whole batch is everybody's exception. */
  const patiently = Effect.fnUntraced(function* (group: ReadonlyArray<Pending>) {
    let tries = 0
    yield* attempt(group).pipe(
      Effect.tapError((error) =>
        Effect.andThen(
          troubled(error, group.length),
          tries++ % QUIET_TRIES === 0
            ? Effect.logWarning(
              `${group.length} ${flow.name} wait: ${error.operation} did not go through (${error.code}), trying again by itself. ${error.message}`,
            )
            : Effect.void,
        )
      ),
      Effect.retry({ schedule: writeBackoff, while: (error) => dispositionOf(error.code) !== "park" }),
      Effect.catch((error) => Effect.sync(() => park(group, error.code, error.message))),
    )
    yield* troubled(null, group.length)
    if (tries > 0) yield* Effect.logInfo(`${group.length} ${flow.name} went through after ${tries} failed tries`)
  })

  /** A defect is isolated to the event that causes it: whoever is there at two crashes is parked. */
  const guarded = (group: ReadonlyArray<Pending>, crashedBefore: boolean): Effect.Effect<void> =>
    patiently(group).pipe(
      Effect.catchCause((cause) =>
        Effect.gen(function* () {
          if (Cause.hasInterrupts(cause)) return yield* Effect.interrupt
          yield* Effect.logError(`writing ${group.length} ${flow.name} crashed`, cause)
          if (group.length === 1 && crashedBefore) return park(group, "DEFECT", String(Cause.squash(cause)))
          yield* Effect.forEach(group, (pending) => guarded([pending], true), { discard: true })
        })
      ),
    )

  for (const group of bySpec(items)) yield* guarded(group, false)
  return items.map((item) => outcomes.get(item)!)
})

const bySpec = (items: ReadonlyArray<Item>): ReadonlyArray<ReadonlyArray<Pending>> => {
  const groups = new Map<unknown, Array<Pending>>()
  for (const item of items) {
    const payload = item.payload!
    const group = groups.get(payload.spec)
    if (group === undefined) groups.set(payload.spec, [{ item, payload }])
    else group.push({ item, payload })
  }
  return [...groups.values()]
}

const outcomeOf = (
  { item, payload }: Pending,
  result: WriteResult,
  write: Write<unknown>,
  drafts: boolean,
  nowMillis: number,
): Outcome => {
  if (result._tag === "Refused") {
    const standing = result.standing === "" ? "" : ` Already in Odoo: ${result.standing}.`
    return parked(item, result.refusal.code, `${result.refusal.detail}${standing}`)
  }
  if (drafts && payload.spec.plan.some((step) => step._tag === "Transition" && step.posts)) {
    return {
      _tag: "Waiting",
      event: { ...item.event, attempts: item.attempts },
      message: item.message,
      on: POSTING,
      deadlineMillis: NEVER,
      detail: `the draft stands in Odoo (${result.mapping.model} ${result.mapping.id}), posting waits for mode full`,
    }
  }
  return {
    _tag: "Applied",
    event: { ...item.event, attempts: item.attempts },
    mapping: { ...result.mapping, version: item.event.version },
    outbox: publicationsOf(item, payload.spec.outcomes?.(write) ?? [], write.company.entity, nowMillis),
  }
}

export const parked = (item: Item, code: ReasonCode, detail: string): Outcome => ({
  _tag: "Parked",
  event: { ...item.event, attempts: Math.max(1, item.attempts) },
  message: item.message,
  code,
  detail,
})
