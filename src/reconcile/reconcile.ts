/**
 * The completeness proof of one legal entity and month: stream, ledger and Odoo against each other, in one pass over the
 * stream, in bounded memory but for one number per event.
 *
 *     stream ─► events of the period, by their control day ─┬─► ledger: state, payload hash
 *                                                           └─► Odoo: what stands, field by field; amounts
 *     ledger ─► events that the stream does not have
 *     Odoo ───► records of the period that nobody sent
 */
import { BigDecimal, Clock, Effect, Schema, Stream } from "effect"
import { fromOdooFloat } from "../../schemas/money.ts"
import { makeDecoder } from "../actor/decode.ts"
import type { Item } from "../actor/Item.ts"
import { untilAvailable } from "../actor/patience.ts"
import { Broker, type StoredMessage } from "../broker/Broker.ts"
import type { Control, Flow, Population } from "../flow/Flow.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Recall, type Recollection } from "../ledger/Recall.ts"
import { type Run, type RunEvent, type RunJson, Runs } from "../ledger/Runs.ts"
import type { Company } from "../odoo/Company.ts"
import { PAGE } from "../odoo/ExternalIds.ts"
import type { OdooRecord } from "../odoo/CompanyCalls.ts"
import { type Brought, type Examined, type Examiner, makeExaminer } from "../replay/Examiner.ts"
import { FlowAccount, type MismatchKind, nameOf } from "./Account.ts"
import { daysOf, LEAD_MILLIS, ReconciliationRequest } from "./Request.ts"
import { Sequences } from "./Sequences.ts"
import { PERIOD_TOTALS, totalsIn } from "./sourceTotals.ts"

const CHUNK = 1_000
/** Events of the ledger read at a time. */
const RECALLED = 5_000
/** Mismatches that are kept event by event; all are counted. */
const MAX_KEPT = 100_000
/** Decimals at which floats of Odoo are added up. */
const FLOAT_SCALE = 6

interface Counted {
  readonly brought: Brought
  readonly item: Item
  readonly control: Control
}

const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

const controlOf = (item: Item, message: StoredMessage): Control =>
  item.payload?.spec.control?.(item.payload.data) ??
    { day: dayOf(message.storedAtMillis), amounts: {}, currency: null }

export const requestOf = (run: Run): ReconciliationRequest =>
  Schema.decodeUnknownSync(ReconciliationRequest)(run.request)

export const reconcile = Effect.fn("Reconcile.run")(function* (run: Run, company: Company, all: ReadonlyArray<Flow>) {
  const { entity, runId } = run
  const request = requestOf(run)
  const flows = request.flows === undefined ? all : all.filter(({ name }) => request.flows!.includes(name))
  const { first, last } = daysOf(request.period)
  const fromMillis = Date.parse(`${first}T00:00:00Z`) - LEAD_MILLIS
  const [broker, ledger, recall, runs] = [yield* Broker, yield* Ledger, yield* Recall, yield* Runs]
  const tallies = yield* ledger.tallies(entity).pipe(untilAvailable("reconciliation"))
  const checkpoints = new Map(tallies.map(({ checkpoint, flow }) => [flow, checkpoint]))
  const examiner: Examiner = yield* makeExaminer(company, flows, { subject: `erp.${entity}.>` }, checkpoints)
  const { glass } = examiner.look
  const decoders = new Map(flows.map((flow) => [flow.domain, makeDecoder(flow)]))
  const accounts = new Map(flows.map(({ name }) => [name, new FlowAccount(name)]))
  const sequences = new Sequences()
  let seen = 0
  let selected = 0
  let ordinal = 0
  let kept: Array<RunEvent> = []
  let gone = false

  const noted = (
    kind: MismatchKind,
    flow: string,
    about: Pick<RunEvent, "eventId" | "type" | "key" | "streamSequence" | "storedAtMillis">,
    detail: RunJson,
  ) => {
    accounts.get(flow)?.differs(kind)
    if (++ordinal > MAX_KEPT) return
    kept.push({ ...about, ordinal, flow, finding: kind, detail, message: null, outcome: null })
  }

  /** Keeps what was found; the run may have been ended. */
  const tell = Effect.gen(function* () {
    const events = kept
    kept = []
    yield* runs.keep(entity, runId, events)
    gone =
      (yield* runs.change(entity, runId, ["examining"], { progress: { seen, selected, mismatches: ordinal } })) === null
  }).pipe(untilAvailable("reconciliation"))

  /** Amounts of the records that stand, and what differs in them. */
  const standing = Effect.fnUntraced(
    function* (examined: ReadonlyArray<Examined>, controls: ReadonlyMap<number, Control>) {
      const found = examined.flatMap((one) => {
        const { record } = one.finding
        const control = controls.get(one.ordinal)!
        return record === undefined || one.finding.class === "superseded" ? [] : [{ one, record, control }]
      })
      for (const [model, own] of Map.groupBy(found, ({ record }) => record.model)) {
        const fields = [...new Set(own.flatMap(({ control }) => Object.keys(control.amounts)))]
        const records: ReadonlyMap<number, OdooRecord> = fields.length === 0
          ? new Map()
          : yield* glass.read(model, own.map(({ record }) => record.id), fields)
        for (const { control, one, record } of own) {
          const account = accounts.get(one.item.event.flow)!
          account.records++
          for (const field in control.amounts) {
            const name = nameOf(control, field)
            account.due.add(name, control.amounts[field]!)
            const value = records.get(record.id)?.[field]
            if (typeof value === "number") {
              account.standing.add(name, BigDecimal.normalize(fromOdooFloat(value, FLOAT_SCALE)))
            }
          }
        }
      }
    },
  )

  /** What Odoo has of an event that the ledger has as applied. */
  const judged = ({ finding, item: { event } }: Examined, control: Control) => {
    const { differences = [], missing = [], pending = [], record } = finding
    const detail = {
      ...(record !== undefined && { record: record as unknown as RunJson }),
      ...(missing.length > 0 && { missing: missing as unknown as RunJson[string] }),
      ...(pending.length > 0 && { pending: pending as unknown as RunJson[string] }),
      ...(differences.length > 0 && { differences: differences as unknown as RunJson[string] }),
    }
    if (missing.length > 0) noted("deleted", event.flow, event, detail)
    else if (differences.some(({ field }) => field in control.amounts)) noted("amount", event.flow, event, detail)
    else if (differences.length > 0) noted("value", event.flow, event, detail)
    else if (pending.length > 0) noted("undone", event.flow, event, detail)
  }

  const inLedger = ({ brought, item: { event } }: Counted, known: Recollection | undefined) => {
    const account = accounts.get(event.flow)!
    if (known === undefined) {
      const coming = event.streamSequence > (checkpoints.get(event.flow) ?? 0)
      account.states[coming ? "coming" : "missing"]++
      if (!coming) noted("ledger-missing", event.flow, event, {})
      return false
    }
    if (known.streamSequence !== brought.message.streamSequence && known.streamSequence > 0) {
      account.duplicates++
      if (known.payloadHash !== event.payloadHash) noted("payload", event.flow, event, { ledger: known.payloadHash })
      return false
    }
    account.streamHash.add(event.eventId, event.payloadHash)
    account.ledgerHash.add(known.eventId, known.payloadHash)
    account.became(known.state)
    return known.state === "applied"
  }

  const chunk = Effect.fnUntraced(function* (messages: ReadonlyArray<StoredMessage>) {
    const counted: Array<Counted> = []
    for (const message of messages) {
      sequences.add(message.streamSequence)
      const decoder = decoders.get(message.subject.split(".")[2] ?? "")
      if (decoder === undefined) continue
      const item = decoder.stored(message)
      const control = controlOf(item, message)
      if (control.day < first || control.day > last) continue
      const account = accounts.get(item.event.flow)!
      account.arrived(message.streamSequence)
      for (const field in control.amounts) account.said.add(nameOf(control, field), control.amounts[field]!)
      counted.push({ brought: { ordinal: message.streamSequence, message }, item, control })
    }
    seen += messages.length
    selected += counted.length
    if (counted.length > 0) {
      const known = yield* recall.byId(entity, counted.map(({ item }) => item.event.eventId))
      const byId = new Map(known.map((one) => [one.eventId, one]))
      const applied = counted.filter((one) => inLedger(one, byId.get(one.item.event.eventId)))
      const controls = new Map(applied.map(({ brought, control }) => [brought.ordinal, control]))
      const examined = yield* examiner.examine(applied.map(({ brought }) => brought))
      yield* standing(examined, controls)
      for (const one of examined) judged(one, controls.get(one.ordinal)!)
    }
    yield* tell
    return !gone
  })

  let position = 0
  const overStream = Stream.suspend(() =>
    broker.read({ subject: `erp.${entity}.>`, fromSequence: position + 1, ...(position === 0 && { fromMillis }) })
  ).pipe(
    Stream.grouped(CHUNK),
    Stream.mapEffect((messages) =>
      Effect.tap(
        chunk(messages).pipe(untilAvailable("reconciliation")),
        () => Effect.sync(() => position = messages.at(-1)!.streamSequence),
      )
    ),
    Stream.takeWhile((goesOn) => goesOn),
    Stream.runDrain,
  )
  yield* overStream.pipe(untilAvailable("reconciliation"))
  if (gone) return

  const now = yield* Clock.currentTimeMillis
  const held = yield* broker.describe.pipe(untilAvailable("reconciliation"))
  /** Between what the stream still holds and what was read of it. */
  const isHeld = (sequence: number): boolean => sequence >= held.stream.firstSequence && sequence <= sequences.last

  /** Events of the ledger that the stream does not have any more, although it holds older ones. */
  const lost = Effect.gen(function* () {
    for (let after = "";;) {
      const page = yield* recall.events({ entity, fromMillis, toMillis: now + 1, after, limit: RECALLED })
      for (const event of page) {
        const { eventId, flow, streamSequence } = event
        // What has an identity of its own beside another event's is that event's message.
        const isOwn = streamSequence > 0 && !eventId.endsWith(`@${streamSequence}`)
        if (!accounts.has(flow) || !isOwn || !isHeld(streamSequence) || sequences.has(streamSequence)) continue
        noted("stream-lost", flow, event, { state: event.state })
      }
      after = page.at(-1)?.eventId ?? after
      if (page.length < RECALLED) return
    }
  })
  yield* lost.pipe(untilAvailable("reconciliation"))

  const prefix = `weir_${entity}.`
  const unsent = Effect.fnUntraced(
    function* (flow: Flow, { day, domain, model }: Population, fields: ReadonlyArray<string>) {
      for (let after = 0;;) {
        const page = yield* glass.calls.searchRead(
          model,
          [["id", ">", after], ["company_id", "=", company.id], [day, ">=", first], [day, "<=", last], ...domain],
          [...new Set(["display_name", "write_uid", "write_date", day, ...fields])],
          { order: "id", limit: PAGE },
        )
        const names = yield* glass.externalIds.names(model, page.map(({ id }) => id))
        const own: Array<{ readonly record: OdooRecord; readonly name: string; readonly key: string }> = []
        for (const record of page) {
          const name = (names.get(record.id) ?? []).find((each) => each.startsWith(prefix))
          const about = { eventId: "", type: "", key: `${model} ${record.id}`, streamSequence: 0, storedAtMillis: 0 }
          const stem = `${prefix}${flow.name}_`
          if (name === undefined) noted("hand-made", flow.name, about, { record: record as unknown as RunJson })
          else if (name.startsWith(stem)) own.push({ record, name, key: name.slice(stem.length) })
        }
        const answers = yield* recall.answers(
          entity,
          flow.name,
          own.map(({ key, name }) => ({ eventId: name, key, references: [] })),
        )
        own.forEach(({ key, name, record }, n) => {
          // A part, or one of several records of a key, has no mapping of its own.
          if (answers[n]!.mapping !== null || key.includes(".")) return
          const about = { eventId: "", type: "", key, streamSequence: 0, storedAtMillis: 0 }
          noted("unknown-record", flow.name, about, { record: record as unknown as RunJson, externalId: name })
        })
        after = page.at(-1)?.id ?? after
        yield* tell
        if (page.length < PAGE) return
      }
    },
  )
  for (const flow of flows) {
    const spec = flow.events.find(({ population }) => population !== undefined)
    if (spec?.population === undefined) continue
    const compare = spec.plan.find((step) => step._tag === "Compare")
    yield* unsent(flow, spec.population, compare === undefined ? [] : ["amount_total"]).pipe(
      untilAvailable("reconciliation"),
    )
  }

  const names = [...accounts.keys()]
  const answers = yield* recall.answers(
    entity,
    PERIOD_TOTALS,
    names.map((flow) => ({ eventId: flow, key: `${request.period}-${flow}`, references: [] })),
  ).pipe(untilAvailable("reconciliation"))
  names.forEach((flow, n) => {
    const account = accounts.get(flow)!
    const totals = totalsIn(answers[n]!.mapping)
    if (totals === null) return
    account.source = totals
    const about = { eventId: "", type: "period.totals", key: flow, streamSequence: 0, storedAtMillis: 0 }
    const unique = account.events - account.duplicates
    if (totals.events !== unique) noted("source-count", flow, about, { source: totals.events, stream: unique })
    for (const [name, amount] of Object.entries(totals.amounts)) {
      const said = account.said.get(name) ?? BigDecimal.make(0n, 0)
      if (BigDecimal.equals(said, BigDecimal.fromStringUnsafe(amount))) continue
      noted("source-amount", flow, about, { name, source: amount, stream: BigDecimal.format(said) })
    }
  })
  yield* tell

  const lines = [...accounts.values()].filter(({ count, events, source }) => events + count > 0 || source !== null)
  const result = {
    entity,
    period: request.period,
    at: new Date(now).toISOString(),
    scanned: { from: new Date(fromMillis).toISOString(), lastSequence: sequences.last, messages: seen },
    complete: lines.every(({ count }) => count === 0),
    mismatches: ordinal,
    flows: lines.map(({ json }) => json),
  }
  yield* runs.change(entity, runId, ["examining"], {
    state: "done",
    result: result as unknown as RunJson,
    totals: Object.fromEntries(lines.map(({ flow, mismatches }) => [flow, Object.fromEntries(mismatches)])),
  }).pipe(untilAvailable("reconciliation"))
})
