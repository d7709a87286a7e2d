/**
 * Looks at events of one legal entity: what the ledger knows of them and what stands of them in Odoo. It reads only.
 *
 *     messages ─► decode ─► select ─► ask the ledger ─► look at Odoo, in bulk per event type ─► findings
 */
import { Effect } from "effect"
import { referencesOf } from "../actor/admit.ts"
import { makeDecoder } from "../actor/decode.ts"
import type { Item, Payload } from "../actor/Item.ts"
import type { StoredMessage } from "../broker/Broker.ts"
import { type Flow, partsOf, type Reference } from "../flow/Flow.ts"
import type { Write } from "../flow/Write.ts"
import type { Answer, LedgerError, Mapping } from "../ledger/Ledger.ts"
import { Recall } from "../ledger/Recall.ts"
import type { Company } from "../odoo/Company.ts"
import { monthOf } from "../odoo/Locks.ts"
import type { OdooError } from "../odoo/Odoo.ts"
import { PERIOD_FLOW } from "../odoo/plan/period.ts"
import type { Sight } from "../odoo/plan/preview/Sight.ts"
import { type Look, Preview } from "../odoo/plan/preview/Preview.ts"
import { lookingAsk } from "./asking.ts"
import { classOf, judge, type Judgement, type Lateness } from "./classify.ts"
import { actionable, type Finding } from "./Finding.ts"
import { isRebillable, keysOf, renewalId } from "./rebill.ts"
import type { Selection } from "./Request.ts"

/** A message and its place in the run. */
export interface Brought {
  readonly ordinal: number
  readonly message: StoredMessage
}

export interface Examined {
  readonly ordinal: number
  readonly item: Item
  readonly finding: Finding
  /** What stands of it is a draft: nothing binding was made of it. */
  readonly draft: boolean
  /** Its main record does not stand. */
  readonly gone: boolean
  /** What the ledger says of it, and what was seen of it in Odoo; null: it was not looked at. */
  readonly answer: Answer
  readonly sight: Sight | null
}

export interface Examiner {
  /** What it looks with. */
  readonly look: Look
  /** Findings about those messages that are selected, in their order. */
  readonly examine: (brought: ReadonlyArray<Brought>) => Effect.Effect<ReadonlyArray<Examined>, OdooError | LedgerError>
}

/** Flow of messages that no flow understands. */
export const NOBODYS: Flow = {
  name: "unknown",
  domain: "unknown",
  description: "",
  lane: "backfill",
  batch: { size: 1, linger: 0, concurrency: 1 },
  inFlight: 1,
  referenceDeadline: "1 day",
  events: [],
}

interface Place {
  readonly ordinal: number
  readonly item: Item
  readonly answer: Answer
  readonly judgement: Judgement
}

const isSelected = ({ event }: Item, { correlationId, flows, key }: Selection): boolean =>
  (flows === undefined || flows.includes(event.flow)) && (key === undefined || event.key === key) &&
  (correlationId === undefined || event.correlationId === correlationId)

const consultedOf = ({ consults, holds, references }: Payload, answer: Answer) =>
  consults.length === 0 ? {} : { consulted: answer.references.slice(references.length + holds.length) }

const writeOf = ({ answer, item, judgement }: Place, company: Company): Write<unknown> => ({
  data: item.payload!.data,
  key: item.event.key,
  company,
  references: judgement._tag === "Look" ? judgement.references : [],
  // As the plan saw it when the event came first.
  previous: item.payload!.spec.versions === "once" ? null : answer.mapping,
  ...consultedOf(item.payload!, answer),
  ids: {},
  read: {},
})

/**
 * `alike`: what Weir has not made is looked for among the records of other systems, and what events refer to is taken to be
 * there: the ledger knows of neither. `checkpoints`: of the flows, when the events come from the stream: what lies above them is still to come. */
export const makeExaminer = Effect.fnUntraced(function* (
  company: Company,
  flows: ReadonlyArray<Flow>,
  selection: Selection,
  checkpoints: ReadonlyMap<string, number> | null,
  alike = false,
) {
  const recall = yield* Recall
  const preview = yield* Preview
  const look: Look = preview.open(company, "backfill", yield* lookingAsk(company.entity), alike)
  const decoders = new Map(flows.map((flow) => [flow.domain, makeDecoder(flow)]))
  const nobodys = makeDecoder(NOBODYS)
  /** Keys that would be applied in this run, for those that refer to them. */
  const planned = new Set<string>()
  const isPlanned = ({ flow, key }: Reference): boolean => alike || planned.has(`${flow} ${key}`)

  /** Months whose late documents are approved, of those in which documents of `places` are locked. */
  const approvedMonths = Effect.fnUntraced(function* (months: ReadonlySet<string>) {
    if (company.latePolicy !== "approval" || months.size === 0) return new Set<string>()
    const keys = [...months]
    const questions = keys.map((key) => ({ eventId: `${PERIOD_FLOW}#${key}`, key, references: [] }))
    const answers = yield* recall.answers(company.entity, PERIOD_FLOW, questions)
    return new Set(keys.filter((_, index) => answers[index]?.mapping !== null))
  })

  const judged = Effect.fnUntraced(function* (items: ReadonlyArray<{ readonly ordinal: number; readonly item: Item }>) {
    const places: Array<Place> = []
    for (const [flow, own] of Map.groupBy(items, ({ item }) => item.event.flow)) {
      const answers = yield* recall.answers(
        company.entity,
        flow,
        own.map(({ item: { event, payload } }) => ({
          eventId: event.eventId,
          key: event.key,
          references: referencesOf(payload),
        })),
      )
      own.forEach(({ item, ordinal }, n) =>
        places.push({ ordinal, item, answer: answers[n]!, judgement: { _tag: "Known", finding: { class: "refused" } } })
      )
    }
    return places
  })

  /**
   * In waves: an event that refers to another one of the chunk comes after it, whichever was published first. Each wave
   * by event type, so that a look is few calls.
   */
  const wavesOf = function* (places: ReadonlyArray<Place>): Generator<ReadonlyArray<Place>> {
    let left = places
    while (left.length > 0) {
      const keys = new Set(left.map(({ item: { event } }) => `${event.flow} ${event.key}`))
      const waits = ({ answer, item: { event, payload } }: Place): boolean =>
        (payload?.references ?? []).some(({ flow, key }, n) =>
          answer.references[n] === null && keys.has(`${flow} ${key}`) && !(flow === event.flow && key === event.key)
        )
      const next = left.filter((place) => !waits(place))
      const wave = next.length === 0 ? left : next
      left = next.length === 0 ? [] : left.filter(waits)
      for (const group of Map.groupBy(wave, ({ item }) => item.payload?.spec).values()) yield group
    }
  }

  /** Records that others refer to, and whether they stand. */
  const standing = new Map<string, boolean>()
  const nameOf = ({ id, model }: Mapping): string => `${model} ${id}`

  /** A record that would be created needs those that it refers to: what the ledger knows may be gone. */
  const withReferences = Effect.fnUntraced(function* (examined: ReadonlyArray<Examined & { readonly place: Place }>) {
    const creating = examined.filter(({ finding }) => finding.class === "create")
    const asked = creating.flatMap(({ place: { judgement } }) => judgement._tag === "Look" ? judgement.references : [])
      .filter((mapping) => mapping.id > 0 && !standing.has(nameOf(mapping)))
    for (const [model, mappings] of Map.groupBy(asked, ({ model }) => model)) {
      const ids = mappings.map(({ id }) => id)
      const found = yield* look.glass.read(model, ids, ["id"])
      for (const mapping of mappings) standing.set(nameOf(mapping), found.has(mapping.id))
    }
    return examined.map(({ place, ...one }): Examined => {
      if (one.finding.class !== "create" || place.judgement._tag !== "Look") return one
      const { payload, references } = place.judgement
      const gone = references.findIndex((mapping, n) =>
        mapping.id > 0 && standing.get(nameOf(mapping)) === false && !isPlanned(payload.references[n]!)
      )
      if (gone < 0) return one
      const { flow, key } = payload.references[gone]!
      const note = `${flow} ${key} (${nameOf(references[gone]!)}) is gone from Odoo`
      return { ...one, finding: { ...one.finding, class: "missing", code: "ODOO-RECORD-MISSING", note } }
    })
  })

  const isComing = ({ answer, item: { event } }: Place, found: Finding): boolean =>
    checkpoints !== null && answer.seen === null && actionable.includes(found.class) &&
    event.streamSequence > (checkpoints.get(event.flow) ?? 0)

  const examineGroup = Effect.fnUntraced(function* (group: ReadonlyArray<Place>) {
    const places = group.map((place): Place => ({ ...place, judgement: judge(place.item, place.answer, isPlanned) }))
    const looked = places.filter(({ judgement }) => judgement._tag === "Look")
    const [first] = looked
    const spec = first?.item.payload?.spec
    const sights = spec === undefined ? [] : yield* look.at(
      spec,
      looked.map((place) => writeOf(place, company)),
      looked.map(({ answer }) => answer.mapping),
      looked.map(({ answer }) => answer.seen?.state === "applied"),
    )
    const months = yield* approvedMonths(
      new Set(sights.flatMap(({ locked }) => locked === null ? [] : [monthOf(locked.day)])),
    )
    let n = 0
    const examined = yield* withReferences(places.map((place) => {
      const { answer, item, judgement, ordinal } = place
      if (judgement._tag === "Known") {
        return { place, ordinal, item, finding: judgement.finding, draft: false, gone: false, answer, sight: null }
      }
      const sight = sights[n++]!
      const lateness: Lateness = {
        policy: company.latePolicy ?? "exception",
        approved: sight.locked !== null && months.has(monthOf(sight.locked.day)),
      }
      const isFact = item.payload!.spec.record === undefined
      const known = {
        applied: answer.seen?.state === "applied",
        newer: answer.seen === null && answer.mapping !== null && item.payload!.spec.versions === "gate",
        isFact,
      }
      const found = classOf(sight, known, lateness)
      const finding = isComing(place, found) ? { ...found, class: "coming" as const } : found
      return {
        place,
        ordinal,
        item,
        finding,
        draft: sight.draft,
        gone: !isFact && sight.record === null,
        answer,
        sight,
      }
    }))
    for (const { finding, item: { event } } of examined) {
      if (finding.class === "coming" || actionable.includes(finding.class)) planned.add(`${event.flow} ${event.key}`)
    }
    return examined
  })

  /** What was credited and billed anew before stands with other values on purpose. */
  const withRenewals = Effect.fnUntraced(function* (examined: ReadonlyArray<Examined>) {
    const ids = examined.filter(isRebillable).map(renewalId)
    if (ids.length === 0) return examined
    const applied = new Set(
      (yield* recall.byId(company.entity, ids)).flatMap(({ eventId, state }) => state === "applied" ? [eventId] : []),
    )
    return examined.map((one): Examined => {
      if (!isRebillable(one) || !applied.has(renewalId(one))) return one
      const { credit, renewal } = keysOf(one)
      return {
        ...one,
        finding: { ...one.finding, class: "superseded", note: `credited by ${credit}, billed anew as ${renewal}` },
      }
    })
  })

  const examiner: Examiner = {
    look,
    examine: Effect.fnUntraced(function* (brought) {
      const items = brought
        .map(({ message, ordinal }) => {
          const { domain, event } = partsOf(message.subject)
          return { ordinal, item: ((event === "" ? undefined : decoders.get(domain)) ?? nobodys).stored(message) }
        })
        .filter(({ item }) => isSelected(item, selection))
      if (items.length === 0) return []
      const examined: Array<Examined> = []
      for (const group of wavesOf(yield* judged(items))) examined.push(...yield* examineGroup(group))
      return (yield* withRenewals(examined)).toSorted((a, b) => a.ordinal - b.ordinal)
    }),
  }
  return examiner
})
