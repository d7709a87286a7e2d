/**
 * Fifth stage: a batch goes through its write plan until every event of it has an outcome. Passing trouble is repeated
 * here (`persevere.ts`): the plan is idempotent, the pump keeps the broker informed, and the flow's bounds hold back what
 * comes behind.
 */
import { Cause, Clock, Duration, Effect } from "effect"
import { DEFAULT_RETRY_FOR, type Flow } from "../flow/Flow.ts"
import type { Lane } from "../flow/Lane.ts"
import type { Write } from "../flow/Write.ts"
import type { Mapping, Mark, Outcome, Reference } from "../ledger/Ledger.ts"
import type { Company } from "../odoo/Company.ts"
import { cutoverOf } from "../odoo/Cutover.ts"
import type { OdooHealth } from "../odoo/Health.ts"
import { Plan, posts, type WriteResult } from "../odoo/plan/Plan.ts"
import { standingIn } from "../odoo/plan/standing.ts"
import type { ReasonCode } from "../reason/Reason.ts"
import { makeAdopter } from "./adopt.ts"
import { HELD, liftOf } from "./hold.ts"
import type { Item, Payload } from "./Item.ts"
import type { OdooError } from "../odoo/Odoo.ts"
import { type Asking, DEPENDENCY_FLOW } from "./modes/asking.ts"
import type { Ways } from "./modes/Circuit.ts"
import { publicationsOf, tellingsOf } from "./outbox.ts"
import { type History, type Perseverance, persevere } from "./persevere.ts"

export interface Writing {
  readonly flow: Flow
  readonly company: Company
  /** Create, never post. */
  readonly drafts: boolean
  /** Months whose late documents are approved. */
  readonly approvedPeriods: ReadonlySet<string>
  /** In which the calls to Odoo go. */
  readonly lane: Lane
  readonly retrying: Perseverance["retrying"]
  /** What the flow's calls go through. */
  readonly ways: Ways
  /** Waits while Odoo's circuit is not closed, and learns from the outcome. */
  readonly guard: <A, R>(call: Effect.Effect<A, OdooError, R>) => Effect.Effect<A, OdooError, R>
  /** Asks a dependency beside Odoo. */
  readonly ask: Asking["ask"]
  /** Before each call to Odoo: ends when the entity is known to be this process's. */
  readonly owned: Effect.Effect<void>
}

interface Pending {
  readonly item: Item
  readonly payload: Payload
  /** Of the last try. */
  write?: Write<unknown>
}

/** What an event waits for that is drafted and may not be posted: the ledger releases it with the mode. */
const POSTING: Reference = { flow: "mode", key: "full" }
/** The end of the year 9999: postings that are owed do not expire. */
const NEVER = 253_402_300_799_000
/** How long an event waits for what people do: the approval of a period, the release of an invoice. */
const APPROVAL_DEADLINE = Duration.days(30)
/** A batch that is stuck is split after this fraction of the patience that a single event has. */
const SPLIT_AFTER = 1 / 8

/** Outcomes of items that are to be written, all of one flow. Never fails: ends when every item has its outcome. */
export const writeAll = Effect.fnUntraced(function* (items: ReadonlyArray<Item>, writing: Writing) {
  const plan = yield* Plan
  const adopt = yield* makeAdopter(writing)
  const outcomes = new Map<Item, Outcome>()
  const { flow } = writing
  const retryFor = Duration.fromInputUnsafe(flow.retryFor ?? DEFAULT_RETRY_FOR)

  const isOthers = ({ event, payload }: Item): boolean =>
    cutoverOf(payload!.spec, flow.name, payload!.data, event.storedAtMillis, writing.company) !== null

  const attempt = Effect.fnUntraced(function* (group: ReadonlyArray<Pending>) {
    const writes = group.map((pending): Write<unknown> => {
      const { item, payload } = pending
      return pending.write = {
        data: payload.data,
        key: item.event.key,
        company: writing.company,
        references: item.verdict._tag === "Write" ? item.verdict.references : [],
        ...(item.verdict._tag === "Write" && item.verdict.consulted !== undefined && {
          consulted: item.verdict.consulted,
        }),
        previous: previousOf(item, payload),
        ids: {},
        read: {},
      }
    })
    for (const { item } of group) item.attempts++
    if (isOthers(group[0]!.item)) {
      const adopted = yield* writing.guard(adopt(group[0]!.payload.spec, writes, group.map(({ item }) => item)))
      return group.forEach(({ item }, index) => outcomes.set(item, adopted[index]!))
    }
    const results = yield* writing.guard(plan.run(group[0]!.payload.spec, writes, {
      flow: flow.name,
      lane: writing.lane,
      ...(flow.mask !== undefined && { mask: flow.mask }),
      drafts: writing.drafts,
      amend: group[0]!.item.replay?.amend === true,
      approvedPeriods: writing.approvedPeriods,
      ask: writing.ask,
      owned: writing.owned,
    }))
    const now = yield* Clock.currentTimeMillis
    group.forEach((pending, index) =>
      outcomes.set(pending.item, outcomeOf(pending, results[index]!, writes[index]!, writing.drafts, now))
    )
  })

  const park = (group: ReadonlyArray<Pending>, code: ReasonCode, detail: string): void => {
    for (const { item, payload, write } of group) {
      // Of a run that broke off it is known what it had reached; a retry reads back the rest.
      const reached = write === undefined ? "" : standingIn(payload.spec, write, () => "")
      outcomes.set(
        item,
        parked(item, code, reached === "" ? detail : `${detail.replace(/\.$/u, "")}. Reached in Odoo: ${reached}.`),
      )
    }
  }

  /** Repeats while the trouble is a passing one. What stays stuck while Odoo serves others is split, then parked. */
  const patiently = (group: ReadonlyArray<Pending>, before: History | null): Effect.Effect<void, never, OdooHealth> =>
    Effect.gen(function* () {
      const alone = group.length === 1
      const end = yield* persevere(attempt(group), {
        database: writing.company.database,
        line: `${writing.company.entity} ${flow.name}`,
        events: group.length,
        patience: alone ? retryFor : Duration.times(retryFor, SPLIT_AFTER),
        before,
        answers: Effect.suspend(() => plan.answers(writing.company, writing.lane)),
        retrying: writing.retrying,
        ready: writing.ways.closed,
      })
      if (end._tag === "Done") {
        if (end.tries > 1) yield* Effect.logInfo(`${group.length} ${flow.name} went through at try ${end.tries}`)
      } else if (end._tag === "Refused") {
        park(group, end.error.code, `${end.error.operation}: ${end.error.message}`)
      } else if (alone) {
        const { error, history } = end
        const spent = Duration.format(Duration.millis(history.lastMillis - history.sinceMillis))
        yield* Effect.logWarning(
          `one of ${flow.name} is given up after ${history.tries} tries and becomes an exception (${error.code})`,
        )
        park(
          group,
          error.code,
          `${error.operation}: ${error.message}. Given up after ${spent}, in which Odoo served others.`,
        )
      } else {
        const middle = group.length >> 1
        yield* patiently(group.slice(0, middle), end.history)
        yield* patiently(group.slice(middle), end.history)
      }
    })

  /** A defect is isolated to the event that causes it: whoever is there at two crashes is parked. */
  const guarded = (group: ReadonlyArray<Pending>, crashedBefore: boolean): Effect.Effect<void, never, OdooHealth> =>
    patiently(group, null).pipe(
      Effect.catchCause((cause) =>
        Effect.gen(function* () {
          if (Cause.hasInterrupts(cause)) return yield* Effect.interrupt
          yield* Effect.logError(`writing ${group.length} ${flow.name} crashed`, cause)
          if (group.length === 1 && crashedBefore) return park(group, "DEFECT", String(Cause.squash(cause)))
          yield* Effect.forEach(group, (pending) => guarded([pending], true), { discard: true })
        })
      ),
    )

  const [others, own] = [items.filter(isOthers), items.filter((item) => !isOthers(item))]
  for (const part of [others, own.filter((item) => !isAmending(item)), own.filter(isAmending)]) {
    for (const group of bySpec(part)) yield* guarded(group, false)
  }
  return items.map((item) => outcomes.get(item)!)
})

/**
 * What the plan is told of the event's key. A replay runs the plan of an event as it was run the first time: nothing stood
 * before it when its key is written once, nor when its record is gone.
 */
const previousOf = ({ replay, verdict }: Item, { spec }: Payload): Mapping | null =>
  verdict._tag !== "Write" || (replay !== undefined && (replay.gone || spec.versions === "once"))
    ? null
    : verdict.previous

const isAmending = ({ replay }: Item): boolean => replay?.amend === true

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
    const { code, detail, waitFor } = result.refusal
    const whole = result.standing === ""
      ? detail
      : `${detail.replace(/\.$/u, "")}. Already in Odoo: ${result.standing}.`
    if (waitFor === undefined) return parked(item, code, whole)
    return {
      _tag: "Waiting",
      event: { ...item.event, attempts: item.attempts },
      message: item.message,
      on: waitFor,
      code,
      // A service that is away is not made to answer by an exception.
      deadlineMillis: waitFor.flow === DEPENDENCY_FLOW ? NEVER : nowMillis + Duration.toMillis(APPROVAL_DEADLINE),
      detail: whole,
    }
  }
  if (drafts && payload.spec.plan.some(posts)) {
    return {
      _tag: "Waiting",
      event: { ...item.event, attempts: item.attempts },
      message: item.message,
      on: POSTING,
      deadlineMillis: NEVER,
      detail: `the draft stands in Odoo (${result.mapping.model} ${result.mapping.id}), posting waits for mode full`,
    }
  }
  const outcomes = payload.spec.outcomes?.(write) ?? []
  const outbox = publicationsOf(item, outcomes, write.company.entity, nowMillis)
  const tells = tellingsOf(item, outcomes, outbox)
  return {
    _tag: "Applied",
    event: { ...item.event, attempts: item.attempts },
    ...mappedOf(item, payload, result),
    outbox,
    ...(tells.length > 0 && { tells }),
    ...(payload.spec.adds !== undefined && {
      adds: { contribution: payload.spec.adds(payload.data, nowMillis), message: item.message },
    }),
  }
}

/** The mapping of the event's key with all that the key has become so far, and what a lifted hold releases. */
const mappedOf = (
  { event: { flow, key, streamSequence, version }, replay, verdict }: Item,
  { data, spec }: Payload,
  { mapping: written, parts = [] }: Extract<WriteResult, { readonly _tag: "Written" }>,
): { readonly mapping: Mapping; readonly marks?: ReadonlyArray<Mark> } => {
  const previous = verdict._tag === "Write" ? verdict.previous : null
  const { [HELD]: held, ...linked } = previous?.links ?? {}
  // Of a record that was gone, its parts were gone too; a hold on the key still stands.
  const known = replay?.gone === true ? {} : linked
  const hold = spec.hold?.(data)
  const links = {
    ...known,
    ...written.links,
    ...(hold === "set"
      ? { [HELD]: held ?? streamSequence }
      : hold === undefined && held !== undefined && { [HELD]: held }),
  }
  const mapping = { ...written, version, links }
  const lifted = hold === "lift" && previous !== null && held !== undefined ? [liftOf({ flow, key }, previous)] : []
  return lifted.length + parts.length === 0 ? { mapping } : { mapping, marks: [...lifted, ...parts] }
}

export const parked = (item: Item, code: ReasonCode, detail: string): Outcome => ({
  _tag: "Parked",
  event: { ...item.event, attempts: Math.max(1, item.attempts) },
  message: item.message,
  code,
  detail,
})
