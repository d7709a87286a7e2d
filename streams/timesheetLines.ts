/**
 * A line of time over its corrections. The first version is one record; what stood on an invoice when it was corrected is
 * taken back by a reversal and said anew by a correction, each a record with an external id of its own:
 *
 *   T-1 ──corrected, not invoiced──► T-1 (rewritten)
 *   T-1 ──corrected, invoiced─────► T-1, T-1.reversal-1, T-1.correction-1 ──corrected, invoiced──► … -2
 *   T-1 ──withdrawn, not invoiced──► (deleted)
 *   T-1 ──withdrawn, invoiced─────► T-1, T-1.reversal-1
 *
 * Reversals and corrections carry their name in Odoo's reference field too: a plan that was interrupted between them finds
 * by it that it had begun, whatever happened to the invoice meanwhile.
 */
import { BigDecimal } from "effect"
import { fromOdooFloat } from "../schemas/money.ts"
import { many2one, type OdooRecord } from "../src/odoo/CompanyCalls.ts"
import { query, read, type Refusal, type Row, type Step } from "../src/flow/Step.ts"
import { externalId, type Write } from "../src/flow/Write.ts"
import { recordsIn } from "./billability.ts"
import { id } from "./codes.ts"

export const TIMESHEET = "account.analytic.line"

/** Decimals of hours that Odoo keeps of a line. */
const HOURS_SCALE = 6

/** Which correction a record is: 0 for the first version. */
const generationOf = (record: string): number => Number(/\.correction-(\d+)$/u.exec(record)?.[1] ?? 0)

/** Names of the next reversal and correction, without the entity's prefix. */
export const nextNames = ({ key, previous }: Write<unknown>) => {
  const next = generationOf(previous?.externalId ?? "") + 1
  return { reversal: `${key}.reversal-${next}`, correction: `${key}.correction-${next}` }
}

/** The engagement, always the first reference, links its project. */
export const projectOf = ({ references }: Write<unknown>): number | undefined => references[0]?.links["project"]

/** What was withdrawn is a fact. */
const isRecord = ({ previous }: Write<unknown>): boolean => previous !== null && previous.model === TIMESHEET

/** The line as it stands in Odoo; undefined when there is none yet. */
export const standingOf = (write: Write<unknown>): OdooRecord | undefined =>
  recordsIn(write, "standing").find((record) => record.id === write.previous?.id)

/** A reversal or correction of this event stands already. */
const hasBegun = (write: Write<unknown>): boolean =>
  recordsIn(write, "standing").some((record) => record.id !== write.previous?.id)

/** It stands on an invoice that counts. */
const isInvoiced = (write: Write<unknown>): boolean => {
  const [invoice] = recordsIn(write, "invoice")
  return invoice !== undefined && invoice["state"] !== "cancel"
}

/** What stands is to be left as it is and taken back by a line of its own. */
export const isReplaced = (write: Write<unknown>): boolean => hasBegun(write) || isInvoiced(write)

/** Reads what stands of the line and whether it is invoiced. */
export const standingSteps = <D>(): ReadonlyArray<Step<D>> => [
  query<D>({
    name: "standing",
    model: TIMESHEET,
    domain: (write) => {
      if (!isRecord(write)) return null
      const { correction, reversal } = nextNames(write)
      const parts = ["&", ["project_id", "=", projectOf(write) ?? 0], ["ref", "in", [reversal, correction]]]
      return ["|", ["id", "=", write.previous!.id], ...parts]
    },
    fields: [
      "date",
      "name",
      "unit_amount",
      "employee_id",
      "project_id",
      "task_id",
      "so_line",
      "timesheet_invoice_id",
    ],
    limit: 3,
  }),
  read<D>({
    name: "invoice",
    model: "account.move",
    records: (write) => {
      const invoice = many2one(standingOf(write)?.["timesheet_invoice_id"])
      return invoice === undefined ? [] : [invoice]
    },
    fields: ["state"],
  }),
]

/** Why a correction cannot be written on what stands. */
export const obstacleTo = (write: Write<unknown>): Refusal | undefined => {
  const { key, previous } = write
  if (previous === null) return undefined
  if (!isRecord(write)) {
    return {
      code: "EVENT-CHANGED",
      detail: `${key} was withdrawn; time that is approved after all is a line with a key of its own`,
    }
  }
  const standing = standingOf(write)
  if (standing === undefined) return { code: "ODOO-RECORD-MISSING", detail: `${TIMESHEET} ${previous.id} is gone` }
  return many2one(standing["project_id"]) === projectOf(write) ? undefined : {
    code: "EVENT-CHANGED",
    detail: `${key} stands on another engagement's project; withdraw it there and approve a line with a key of its own`,
  }
}

/** The values of a line, all references by database id. */
export interface TimeValues {
  readonly date: string
  readonly name: string
  readonly hours: BigDecimal.BigDecimal
  readonly employee: number | undefined
  readonly project: number | undefined
  readonly task: number | undefined
  readonly line: number | undefined
}

const cell = (databaseId: number | undefined): string => databaseId === undefined ? "" : id(databaseId)

/** Empty rather than left out: all lines of a batch fit into one call. Without an order line the time is not billed. */
export const rowOf = (externalId: string, values: TimeValues, reference?: string): Row => ({
  externalId,
  values: {
    date: values.date,
    name: values.name,
    unit_amount: BigDecimal.format(BigDecimal.normalize(values.hours)),
    "employee_id/.id": cell(values.employee),
    "project_id/.id": cell(values.project),
    "task_id/.id": cell(values.task),
    "so_line/.id": cell(values.line),
    is_so_line_edited: true,
    ...(reference !== undefined && { ref: reference }),
  },
})

/** Values as Odoo has them. */
const valuesIn = (record: OdooRecord): TimeValues => ({
  date: String(record["date"]),
  name: String(record["name"]),
  hours: fromOdooFloat(Number(record["unit_amount"]), HOURS_SCALE),
  employee: many2one(record["employee_id"]),
  project: many2one(record["project_id"]),
  task: many2one(record["task_id"]),
  line: many2one(record["so_line"]),
})

/** What stands says already what is to be said. */
export const says = (record: OdooRecord, wanted: TimeValues): boolean => {
  const standing = valuesIn(record)
  return BigDecimal.equals(standing.hours, wanted.hours) &&
    (["date", "name", "employee", "project", "task", "line"] as const).every((field) =>
      standing[field] === wanted[field]
    )
}

/** The row that takes back what stands, on its own day. */
export const reversalOf = (write: Write<unknown>, standing: OdooRecord): Row => {
  const values = valuesIn(standing)
  const { reversal } = nextNames(write)
  return rowOf(
    externalId(write.company.entity, "timesheets", reversal),
    { ...values, hours: BigDecimal.negate(values.hours) },
    reversal,
  )
}
