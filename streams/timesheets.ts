/**
 * Approved time becomes timesheet lines: cost on the project, and delivered hours on the order line that bills them.
 *
 *   timesheet.approved  ─> billable? ─> account.analytic.line                    ─> timesheet.ready goes out
 *   timesheet.corrected ─> billable? ─> the line rewritten, or reversal and correction where it is invoiced
 *   timesheet.withdrawn ─>              the line deleted,   or its reversal      where it is invoiced
 *
 * Each line names its order line and marks it as chosen by hand, so that no later change of the project moves it.
 */
import { BigDecimal } from "effect"
import { format, formatOdooFloat } from "../schemas/money.ts"
import { TimesheetApproved, TimesheetCorrected, TimesheetWithdrawn } from "../schemas/timesheet.ts"
import { type Control, event, type Flow, type OutcomeEvent } from "../src/flow/Flow.ts"
import { many2one } from "../src/odoo/CompanyCalls.ts"
import { check, find, load, read, type Step, unlink } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import type { Mapping } from "../src/ledger/Ledger.ts"
import { billableSteps, isBilledByHour, productSteps, recordsIn } from "./billability.ts"
import { closingOf, lateFor } from "./closing.ts"
import { fact } from "./facts.ts"
import { engagementPart, parent } from "./keys.ts"
import {
  isReplaced,
  nextNames,
  obstacleTo,
  projectOf,
  reversalOf,
  rowOf,
  says,
  standingOf,
  standingSteps,
  TIMESHEET,
  type TimeValues,
} from "./timesheetLines.ts"
import { maskOf } from "./ownership.ts"

/** Both say the whole of a line. */
type Line = TimesheetApproved | TimesheetCorrected

/** The engagement, then the order line that bills it, then the task: whichever the line of time has. */
const referencesOf = ({ billable, engagement, line, task }: Line) => [
  { flow: "engagements", key: engagement },
  ...(billable ? [engagementPart(engagement, "line", line)] : []),
  ...(task === undefined ? [] : [engagementPart(engagement, "task", task)]),
]

const lineOf = ({ data, references }: Write<Line>): Mapping | undefined => data.billable ? references[1] : undefined

const taskOf = ({ data, references }: Write<Line>): Mapping | undefined =>
  data.task === undefined ? undefined : references[data.billable ? 2 : 1]

const lineIdOf = (write: Write<Line>): number | undefined => lineOf(write)?.id

/** What both ask before anything is written. */
const before = <D extends Line>(): ReadonlyArray<Step<D>> => [
  check<D>({
    name: "open",
    refuse: ({ consulted, data }) => lateFor(data.engagement, consulted?.[0], data.date),
  }),
  find<D>({ name: "employee", model: "hr.employee", field: "work_email", value: ({ data }) => data.consultant }),
  ...billableSteps<D>("time", lineIdOf),
]

/** What is delivered and ready to bill on an order line, after the write. */
const delivered = <D>(linesOf: (write: Write<D>) => ReadonlyArray<number | undefined>): Step<D> =>
  read<D>({
    name: "delivered",
    model: "sale.order.line",
    records: (write) => [...new Set(linesOf(write))].flatMap((line) => line ?? []),
    fields: ["qty_delivered", "qty_to_invoice", "product_id"],
  })

const HOURS = 2

/** What others learn: the order line of the time now, and the one that it was on. Nothing about time that is not billed. */
const readiness = (
  write: Write<{ readonly key: string; readonly engagement: string }>,
  hours: BigDecimal.BigDecimal,
  line: string | null,
  now: number | undefined,
): ReadonlyArray<OutcomeEvent> => {
  const before = many2one(standingOf(write)?.["so_line"])
  const quantities = (lineId: number | undefined) => {
    const record = recordsIn(write, "delivered").find((each) => each.id === lineId && isBilledByHour(each, write))
    const quantity = (field: string) => formatOdooFloat(Number(record?.[field]), HOURS)
    return record === undefined
      ? null
      : { lineId: record.id, delivered: quantity("qty_delivered"), toInvoice: quantity("qty_to_invoice") }
  }
  const ready = quantities(now)
  const released = before === now ? null : quantities(before)
  if (ready === null && released === null) return []
  const { engagement, key: timesheet } = write.data
  return [fact("timesheet.ready", { timesheet, engagement, line, hours: format(hours, HOURS), ready, released })]
}

const readinessOf = (write: Write<Line>) =>
  readiness(write, write.data.hours, write.data.billable ? write.data.line : null, lineIdOf(write))

const valuesOf = (write: Write<Line>): TimeValues => {
  const { data, ids } = write
  return {
    date: data.date,
    name: data.description,
    hours: data.hours,
    employee: ids["employee"],
    project: projectOf(write),
    task: taskOf(write)?.id,
    line: lineIdOf(write),
  }
}

const hoursOf = ({ date, hours }: Line): Control => ({ day: date, amounts: { unit_amount: hours }, currency: null })

const approved = event<TimesheetApproved>({
  type: "timesheet.approved",
  version: 1,
  schema: TimesheetApproved,
  key: (timesheet) => timesheet.key,
  parents: (timesheet) => [parent.engagement(timesheet.engagement)],
  references: referencesOf,
  consults: (timesheet) => [closingOf(timesheet.engagement)],
  versions: "once",
  record: "sheet",
  alike: { field: "ref", value: ({ key }) => key, domain: [["project_id", "!=", false]] },
  plan: [
    ...before<TimesheetApproved>(),
    load({
      name: "sheet",
      model: TIMESHEET,
      mode: "create",
      rows: (write) => rowOf(externalId(write.company.entity, "timesheets", write.key), valuesOf(write)),
    }),
    delivered((write) => [lineIdOf(write)]),
  ],
  control: hoursOf,
  population: { model: TIMESHEET, domain: [["project_id", "!=", false]], day: "date" },
  publishes: ["timesheet.ready"],
  outcomes: readinessOf,
})

const corrected = event<TimesheetCorrected>({
  type: "timesheet.corrected",
  version: 1,
  schema: TimesheetCorrected,
  key: (timesheet) => timesheet.key,
  parents: (timesheet) => [parent.engagement(timesheet.engagement)],
  references: referencesOf,
  consults: (timesheet) => [closingOf(timesheet.engagement)],
  versions: "gate",
  record: "sheet",
  plan: [
    ...standingSteps<TimesheetCorrected>(),
    check({ name: "changeable", refuse: obstacleTo }),
    ...before<TimesheetCorrected>(),
    // Create-or-skip: what is invoiced must not even be touched. The first row is the key's record from now on.
    load({
      name: "sheet",
      model: TIMESHEET,
      mode: "create",
      rows: (write) => {
        const { company, key, previous } = write
        const standing = standingOf(write)
        const wanted = valuesOf(write)
        const own = previous?.externalId ?? externalId(company.entity, "timesheets", key)
        if (standing === undefined || !isReplaced(write) || says(standing, wanted)) return rowOf(own, wanted)
        const { correction } = nextNames(write)
        return [
          rowOf(externalId(company.entity, "timesheets", correction), wanted, correction),
          reversalOf(write, standing),
        ]
      },
    }),
    load({
      name: "rewritten",
      model: TIMESHEET,
      mode: "upsert",
      rows: (write) => {
        const { previous } = write
        const standing = standingOf(write)
        const wanted = valuesOf(write)
        return previous === null || standing === undefined || isReplaced(write) || says(standing, wanted)
          ? []
          : rowOf(previous.externalId, wanted)
      },
    }),
    delivered((write) => [lineIdOf(write), many2one(standingOf(write)?.["so_line"])]),
  ],
  control: hoursOf,
  publishes: ["timesheet.ready"],
  outcomes: readinessOf,
})

const withdrawn = event<TimesheetWithdrawn>({
  type: "timesheet.withdrawn",
  version: 1,
  schema: TimesheetWithdrawn,
  key: (timesheet) => timesheet.key,
  parents: (timesheet) => [parent.engagement(timesheet.engagement)],
  references: (timesheet) => [{ flow: "engagements", key: timesheet.engagement }],
  versions: "gate",
  plan: [
    ...productSteps<TimesheetWithdrawn>(["time-and-materials"]),
    ...standingSteps<TimesheetWithdrawn>(),
    load({
      name: "reversal",
      model: TIMESHEET,
      mode: "create",
      rows: (write) => {
        const standing = standingOf(write)
        return standing !== undefined && isReplaced(write) ? reversalOf(write, standing) : []
      },
    }),
    unlink({
      name: "deleted",
      model: TIMESHEET,
      records: (write) => {
        const standing = standingOf(write)
        return standing === undefined || isReplaced(write) ? [] : [standing.id]
      },
    }),
    delivered((write) => [many2one(standingOf(write)?.["so_line"])]),
  ],
  // Its key maps to this fact for good: whatever comes again of the line finds that it is withdrawn.
  fact: () => "withdrawn",
  publishes: ["timesheet.ready"],
  outcomes: (write) => readiness(write, BigDecimal.make(0n, 0), null, undefined),
})

export const timesheets: Flow = {
  name: "timesheets",
  domain: "timesheet",
  description: "Approved time becomes timesheet lines on project, task and order line; corrections follow it",
  lane: "bulk",
  batch: { size: 200, linger: "50 millis", concurrency: 2 },
  inFlight: 1200,
  referenceDeadline: "1 day",
  mask: maskOf("timesheets"),
  events: [approved, corrected, withdrawn],
}
