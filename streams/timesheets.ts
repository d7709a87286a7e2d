/**
 * Approved time becomes timesheet lines: cost on the project, and delivered hours on the order line that bills them.
 *
 *   timesheet.approved ─> employee (found by work e-mail) ─> account.analytic.line
 *
 * Each line names its order line and marks it as chosen by hand, so that no later change of the project moves it.
 */
import { BigDecimal } from "effect"
import { TimesheetApproved } from "../schemas/timesheet.ts"
import { event, type Flow } from "../src/flow/Flow.ts"
import { find, load } from "../src/flow/Step.ts"
import { externalId } from "../src/flow/Write.ts"
import { id } from "./codes.ts"
import { engagementIds, parent } from "./keys.ts"

const approved = event<TimesheetApproved>({
  type: "timesheet.approved",
  version: 1,
  schema: TimesheetApproved,
  key: (timesheet) => timesheet.key,
  parents: (timesheet) => [parent.engagement(timesheet.engagement)],
  references: (timesheet) => [{ flow: "engagements", key: timesheet.engagement }],
  versions: "once",
  record: "line",
  plan: [
    find({
      name: "employee",
      model: "hr.employee",
      field: "work_email",
      value: ({ data }) => data.consultant,
    }),
    load({
      name: "line",
      model: "account.analytic.line",
      mode: "create",
      rows: ({ data, company, ids }) => {
        const engagement = engagementIds(company.entity, data.engagement)
        const employee = ids["employee"]
        if (employee === undefined) return { code: "MASTER-DATA-MISSING", detail: `no employee ${data.consultant}` }
        return {
          externalId: externalId(company.entity, "timesheets", data.key),
          values: {
            date: data.date,
            name: data.description,
            unit_amount: BigDecimal.format(data.hours),
            "employee_id/.id": id(employee),
            "project_id/id": engagement.project,
            // Empty rather than left out: a new line has none, and all lines of a batch fit into one call.
            "task_id/id": data.task === undefined ? "" : engagement.task(data.task),
            "so_line/id": data.billable ? engagement.line(data.line) : "",
            is_so_line_edited: true,
          },
        }
      },
    }),
  ],
})

export const timesheets: Flow = {
  name: "timesheets",
  domain: "timesheet",
  description: "Approved time becomes timesheet lines on project, task and order line",
  lane: "bulk",
  batch: { size: 200, linger: "50 millis", concurrency: 2 },
  inFlight: 1200,
  referenceDeadline: "1 day",
  events: [approved],
}
