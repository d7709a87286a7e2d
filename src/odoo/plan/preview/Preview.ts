/**
 * Looks at write plans without carrying them out: for each event of a batch what stands of it in Odoo, what would be
 * created, which values differ and which steps are still to be done. It goes by the plan's own steps, so that a flow has
 * to be described once; and it reads only, in bulk: a hundred thousand events are a few hundred calls.
 *
 *   writes ─► step 1 ─► step 2 ─► … ─► Sight of each event
 *               └─► a record is missing: what comes after it cannot be seen, the event would be created
 */
import { Context, Effect, Layer, Semaphore } from "effect"
import type { EventSpec } from "../../../flow/Flow.ts"
import type { Lane } from "../../../flow/Lane.ts"
import type { Step } from "../../../flow/Step.ts"
import type { Write } from "../../../flow/Write.ts"
import type { Mapping } from "../../../ledger/Ledger.ts"
import { CallGate } from "../../CallGate.ts"
import type { Company } from "../../Company.ts"
import { lastLockedDay } from "../../Locks.ts"
import { MasterData } from "../../MasterData.ts"
import { Odoo, type OdooError } from "../../Odoo.ts"
import { type Ask, nobody } from "../enrich.ts"
import { modelOf, planOf, recognised } from "./alike.ts"
import { type Glass, glass } from "./Glass.ts"
import { lookAtLoad } from "./load.ts"
import { Looking, stepsOf } from "./Looking.ts"
import { lookAtReconcile } from "./reconcile.ts"
import type { Sight } from "./Sight.ts"
import {
  lookAtCompare,
  lookAtEnrich,
  lookAtFind,
  lookAtQuery,
  lookAtRead,
  lookAtResolve,
  lookAtTransition,
  lookAtUnlink,
  lookAtUpdate,
} from "./steps.ts"

/** A look at one company. It remembers what it has found out about other records; make a new one for each question. */
export interface Look {
  /**
   * What stands of each event, in the order of `writes`, which are all of one type. `known`: what their own keys map to,
   * where records are looked for first. `applied`: which of them were applied before. Fills `ids` and `read` of each write as far as it sees. Fails when Odoo does not
   * answer; nothing is changed by asking again.
   */
  readonly at: (
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    known: ReadonlyArray<Mapping | null>,
    applied?: ReadonlyArray<boolean>,
  ) => Effect.Effect<ReadonlyArray<Sight>, OdooError>
  readonly glass: Glass
  /** Looks at one database take turns: however many entities are looked at, it feels one of them at a time. */
  readonly inTurn: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export class Preview extends Context.Service<Preview, {
  /**
   * Opens a look at `company`; its calls go in `lane`. `ask`: dependencies beside Odoo; left out, there are none. `alike`:
   * what Weir has not made is looked for among the records of other systems.
   */
  readonly open: (company: Company, lane: Lane, ask?: Ask, alike?: boolean) => Look
}>()("weir/odoo/plan/preview/Preview") {}

const lookAtStep = (step: Step<unknown>, looking: Looking, through: Glass): Effect.Effect<void, OdooError> => {
  switch (step._tag) {
    case "Check":
      return Effect.sync(() => {
        for (const index of looking.open) {
          const refusal = step.refuse(looking.writes[index]!)
          if (refusal !== undefined) looking.object(index, refusal)
        }
      })
    case "Enrich":
      return lookAtEnrich(step, looking, through)
    case "Resolve":
      return lookAtResolve(step, looking, through)
    case "Read":
      return lookAtRead(step, looking, through)
    case "Find":
      return lookAtFind(step, looking, through)
    case "Query":
      return lookAtQuery(step, looking, through)
    case "Load":
      return lookAtLoad(step, looking, through)
    case "Update":
      return lookAtUpdate(step, looking, through)
    case "Unlink":
      return lookAtUnlink(step, looking, through)
    case "Transition":
      return lookAtTransition(step, looking, through)
    case "Compare":
      return lookAtCompare(step, looking, through)
    case "Reconcile":
      return lookAtReconcile(step, looking, through)
    case "Invoke":
      // Repeated it changes nothing, and whether it was called cannot be read.
      return Effect.sync(() => {
        for (const index of looking.open) {
          if (step.records(looking.writes[index]!).some((id) => id > 0)) looking.invokes(index)
        }
      })
  }
}

/** Events that would be created, dated in a period in which nothing may be booked. */
const lookAtLocks = Effect.fnUntraced(function* (looking: Looking, through: Glass) {
  for (const { period } of stepsOf(looking.spec, "Transition")) {
    if (period === undefined) continue
    const last = lastLockedDay(period.kind, yield* through.master.locks(through.company, through.calls.lane))
    if (last === null) continue
    looking.writes.forEach(({ data }, index) => {
      const day = period.date(data)
      if (looking.isMissing(index) && day <= last.day) looking.lock(index, { day, until: last.day, lock: last.lock })
    })
  }
})

/** The plan as far as it writes: what is read after that is for those who are told of the outcome. */
const writingPart = ({ plan }: EventSpec<unknown>): ReadonlyArray<Step<unknown>> =>
  plan.slice(0, plan.findLastIndex(({ _tag }) => _tag !== "Read" && _tag !== "Query" && _tag !== "Resolve") + 1)

const at = Effect.fnUntraced(
  function* (
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    known: ReadonlyArray<Mapping | null>,
    applied: ReadonlyArray<boolean>,
    through: Glass,
  ) {
    const looking = new Looking(spec, writes, known, applied)
    for (const step of writingPart(spec)) {
      if (looking.open.length === 0) break
      yield* lookAtStep(step, looking, through)
      looking.settle()
    }
    yield* lookAtLocks(looking, through)
    return writes.map((_, index) => looking.sight(index))
  },
)

/** Nobody has made it: that what it refers to has none of Weir's names either is no reason. */
const unmade = (sight: Sight, model: string, key: string): Sight =>
  sight.refusal?.code === "REFERENCE-MISSING" || sight.refusal?.code === "ODOO-RECORD-MISSING"
    ? { ...sight, refusal: null, missing: [{ model, externalId: key }] }
    : sight

/** The same; of what does not stand, what another system has made of it. */
const atOthers = Effect.fnUntraced(
  function* (
    spec: EventSpec<unknown>,
    writes: ReadonlyArray<Write<unknown>>,
    known: ReadonlyArray<Mapping | null>,
    applied: ReadonlyArray<boolean>,
    through: Glass,
  ) {
    const own = yield* at(spec, writes, known, applied, through)
    const strange = own.flatMap(({ record }, index) => record === null && spec.alike !== undefined ? [index] : [])
    if (strange.length === 0) return own
    const found = yield* recognised(spec, strange.map((index) => writes[index]!), through)
    const sights = new Map<number, Sight>()
    const one: Array<{ readonly index: number; readonly known: Mapping }> = []
    strange.forEach((index, n) => {
      const [id, ...more] = found[n]!
      const model = modelOf(spec)
      if (more.length > 0) {
        const detail = `${model} ${found[n]!.join(", ")} are all like ${writes[index]!.key}`
        sights.set(index, { ...own[index]!, missing: [], refusal: { code: "SHADOW-AMBIGUOUS", detail } })
      } else if (id !== undefined) {
        one.push({ index, known: { model, id, externalId: "", version: null, links: {} } })
      } else sights.set(index, unmade(own[index]!, model, writes[index]!.key))
    })
    if (one.length > 0) {
      const reduced: EventSpec<unknown> = { ...spec, plan: planOf(spec) }
      const looking = new Looking(
        reduced,
        one.map(({ index }): Write<unknown> => ({ ...writes[index]!, ids: {}, read: {} })),
        one.map(({ known }) => known),
        [],
        true,
      )
      for (const step of reduced.plan) {
        if (looking.open.length === 0) break
        yield* lookAtStep(step, looking, through)
        looking.settle()
      }
      one.forEach(({ index }, n) => sights.set(index, looking.sight(n)))
    }
    return own.map((sight, index) => sights.get(index) ?? sight)
  },
)

export const make = Effect.gen(function* () {
  const odoo = yield* Odoo
  const gate = yield* CallGate
  const master = yield* MasterData
  const turns = new Map<string, Semaphore.Semaphore>()
  const turnOf = (database: string): Semaphore.Semaphore => {
    const known = turns.get(database)
    if (known !== undefined) return known
    const made = Semaphore.makeUnsafe(1)
    turns.set(database, made)
    return made
  }
  return Preview.of({
    open: (company, lane, ask = nobody, alike = false) => {
      const through = glass(odoo, gate, master, company, lane, ask)
      return {
        glass: through,
        inTurn: turnOf(company.database).withPermit,
        at: (spec, writes, known, applied = []) =>
          Effect.withSpan((alike ? atOthers : at)(spec, writes, known, applied, through), "Preview.at", {
            attributes: { "weir.event.type": spec.type, "weir.events": writes.length },
          }),
      }
    },
  })
})

export const layer: Layer.Layer<Preview, never, Odoo | CallGate | MasterData> = Layer.effect(Preview, make)
