/** All flows that this Weir knows. A new flow is one file in this folder and one line here. */
import { Duration, Option } from "effect"
import type { EventSpec, Flow } from "../src/flow/Flow.ts"
import { approvals } from "./approvals.ts"
import { creditNotes } from "./creditNotes.ts"
import { customers } from "./customers.ts"
import { disputes } from "./disputes.ts"
import { engagements } from "./engagements.ts"
import { exchangeRates } from "./exchangeRates.ts"
import { expenses } from "./expenses.ts"
import { invoices } from "./invoices.ts"
import { journalEntries } from "./journalEntries.ts"
import { milestones } from "./milestones.ts"
import { payments } from "./payments.ts"
import { rates } from "./rates.ts"
import { subscriptions } from "./subscriptions.ts"
import { totals } from "./totals.ts"
import { timesheets } from "./timesheets.ts"
import { usage } from "./usage.ts"
import { writeOffs } from "./writeOffs.ts"
import { HELD } from "../src/actor/hold.ts"

export const catalog: ReadonlyArray<Flow> = [
  approvals,
  disputes,
  payments,
  invoices,
  creditNotes,
  writeOffs,
  exchangeRates,
  journalEntries,
  customers,
  engagements,
  rates,
  milestones,
  subscriptions,
  timesheets,
  totals,
  expenses,
  usage,
]

/** Most events in one plan run: above it Odoo's `load` gains nothing and its calls get long. */
export const MAX_BATCH_SIZE = 500
/** Most batches of one entity and flow at once: more than a database has workers only adds waiting. */
export const MAX_BATCH_CONCURRENCY = 16

/**
 * What is wrong with `flows`, one sentence each; none when all is well. Checked at start and in tests, so that a flow
 * that could never work does not wait for its first event to say so.
 */
export const validateCatalog = (flows: ReadonlyArray<Flow>): ReadonlyArray<string> => [
  ...twice(flows.map((flow) => flow.name)).map((name) => `two flows have the name ${name}`),
  ...twice(flows.map((flow) => flow.domain)).map((domain) => `two flows have the domain ${domain}`),
  ...flows.flatMap((flow) => flowIssues(flow).map((issue) => `${flow.name}: ${issue}`)),
  ...seedIssues(flows),
]

const flowIssues = (flow: Flow): ReadonlyArray<string> => {
  const { batch } = flow
  const linger = Duration.fromInput(batch.linger)
  const deadline = Duration.fromInput(flow.referenceDeadline)
  return [
    ...when(!/^[a-z][a-z-]{0,31}$/u.test(flow.name), "its name must be 1 to 32 of a-z and -"),
    ...when(!/^[a-z][a-z-]{0,31}$/u.test(flow.domain), `its domain ${flow.domain} must be 1 to 32 of a-z and -`),
    ...when(!within(batch.size, 1, MAX_BATCH_SIZE), `batch.size must be 1 to ${MAX_BATCH_SIZE}`),
    ...when(
      !within(batch.concurrency, 1, MAX_BATCH_CONCURRENCY),
      `batch.concurrency must be 1 to ${MAX_BATCH_CONCURRENCY}`,
    ),
    ...when(
      !Number.isInteger(flow.inFlight) || flow.inFlight < batch.size,
      `inFlight must be a whole number, batch.size (${batch.size}) or more`,
    ),
    ...when(Option.isNone(linger), "batch.linger is no duration"),
    ...when(
      Option.isNone(deadline) || !Duration.isGreaterThan(deadline.value, Duration.zero),
      "referenceDeadline must be a duration above zero",
    ),
    ...when(
      flow.retryFor !== undefined &&
        Option.match(Duration.fromInput(flow.retryFor), {
          onNone: () => true,
          onSome: (duration) => !Duration.isGreaterThan(duration, Duration.zero),
        }),
      "retryFor must be a duration above zero",
    ),
    ...when(
      flow.windows === undefined && flow.events.some((spec) => spec.adds !== undefined),
      "it must have windows, its events add to them",
    ),
    ...when(flow.events.length === 0, "it has no events"),
    ...twice(flow.events.map((spec) => `${spec.type} version ${spec.version}`)).map((type) => `two specs of ${type}`),
    ...flow.events.flatMap((spec) => specIssues(flow, spec).map((issue) => `${spec.type}: ${issue}`)),
  ]
}

/** Models that a plan writes, and whether it deletes there. */
const writtenBy = ({ plan }: EventSpec<unknown>): ReadonlyArray<readonly [model: string, deletes: boolean]> =>
  plan.flatMap((step) =>
    step._tag === "Load" || step._tag === "Update" || step._tag === "Unlink"
      ? [[step.model, step._tag === "Unlink"]]
      : []
  )

/** What a mask lacks that can be known before the first event. */
const maskIssues = ({ mask = {} }: Flow, spec: EventSpec<unknown>): ReadonlyArray<string> => [
  ...writtenBy(spec).flatMap(([model, deletes]) =>
    mask[model] === undefined
      ? [`it writes ${model}, which the flow's mask does not name`]
      : when(deletes && mask[model].deletes !== true, `it deletes ${model}, which the flow's mask does not allow`)
  ),
  ...spec.plan.flatMap((step) => {
    if (step._tag !== "Transition" || step.period === undefined) return []
    const moved = (mask[step.model]?.moved ?? "").split(" ")
    return [step.period.field, step.period.reference].filter((field) => !moved.includes(field)).map((field) =>
      `step ${step.name} may move ${step.model}.${field}, which the flow's mask does not name`
    )
  }),
]

const specIssues = (flow: Flow, spec: EventSpec<unknown>): ReadonlyArray<string> => {
  const names = spec.plan.map((step) => step.name)
  const record = spec.plan.find((step) => step.name === spec.record)
  return [
    ...when(!spec.type.startsWith(`${flow.domain}.`), `its type must begin with ${flow.domain}.`),
    ...when(!within(spec.version, 1, 999), "its version must be 1 to 999"),
    ...when(spec.plan.length === 0 && spec.record !== undefined, "its plan has no steps"),
    ...when(spec.record === undefined && spec.fact === undefined, "it has neither a record nor a fact"),
    ...when(
      Array.from({ length: spec.version - 1 }, (_, n) => spec.upcasts?.[n + 1]).includes(undefined),
      `it must have upcasts for versions 1 to ${spec.version - 1}`,
    ),
    ...when(
      (spec.outcomes === undefined) !== (spec.publishes === undefined || spec.publishes.length === 0),
      "its outcomes and what it publishes must be given together",
    ),
    ...when(names.includes(HELD), `no step may have the name ${HELD}`),
    ...maskIssues(flow, spec),
    ...twice(names).map((name) => `two steps have the name ${name}`),
    ...when(spec.record !== undefined && record === undefined, `its record ${spec.record} is no step of the plan`),
    ...when(record !== undefined && record._tag !== "Load", `its record ${spec.record} must be a load step`),
    ...spec.plan.flatMap((step, index) => {
      const of = "of" in step ? step.of : undefined
      if (of === undefined) return []
      const earlier = spec.plan.slice(0, index).find((candidate) => candidate.name === of)
      if (earlier === undefined) return [`step ${step.name} needs ${of}, which is no earlier step`]
      return earlier._tag === "Load" ? [] : [`step ${step.name} needs ${of}, which is no load step`]
    }),
  ]
}

/** Two flows may seed the same record, but then with the same values. */
const seedIssues = (flows: ReadonlyArray<Flow>): ReadonlyArray<string> => {
  const known = new Map<string, string>()
  return flows.flatMap((flow) => flow.seeds ?? []).flatMap((seed) => {
    const text = JSON.stringify([seed.model, seed.values])
    const before = known.get(seed.externalId)
    known.set(seed.externalId, text)
    return [
      ...when(!/^weir\.[a-z0-9_]+$/u.test(seed.externalId), `seed ${seed.externalId} must be weir.<a-z, 0-9, _>`),
      ...when(before !== undefined && before !== text, `seed ${seed.externalId} stands twice with different values`),
    ]
  })
}

const when = (wrong: boolean, issue: string): ReadonlyArray<string> => wrong ? [issue] : []

const within = (value: number, minimum: number, maximum: number): boolean =>
  Number.isInteger(value) && value >= minimum && value <= maximum

const twice = (values: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
]
