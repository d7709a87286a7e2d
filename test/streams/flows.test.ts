import { assert, describe, it } from "@effect/vitest"
import type { Row } from "../../src/flow/Step.ts"
import { timesheet } from "./samples.ts"
import { coordinates, outline, rowsOf, stepOf, writeOf } from "./specs.ts"

describe("timesheet.approved", () => {
  const type = "timesheet.approved"

  it("waits for its engagement and locks it", () => {
    assert.deepStrictEqual(coordinates(type, timesheet), {
      key: "T-1",
      parents: ["engagement:ENG-7"],
      references: [{ flow: "engagements", key: "ENG-7" }],
      versions: "once",
    })
    assert.deepStrictEqual(outline(type), ["Find employee hr.employee", "Load line account.analytic.line create"])
  })

  it("finds the employee by work e-mail", () => {
    const step = stepOf(type, "employee")
    assert.strictEqual(step._tag === "Find" ? step.value(writeOf(type, timesheet)) : "", "c01@be01.example.test")
    assert.deepInclude(step, { model: "hr.employee", field: "work_email" })
  })

  it("writes the line on project, task and order line, the order line chosen for good", () => {
    assert.deepStrictEqual(rowsOf(type, "line", writeOf(type, timesheet, { ids: { employee: 77 } })), {
      externalId: "weir_be01.timesheets_T-1",
      values: {
        date: "2026-10-05",
        name: "Design of the fleet model",
        unit_amount: "7.25",
        "employee_id/.id": "77",
        "project_id/id": "weir_be01.engagements_ENG-7.project",
        "task_id/id": "weir_be01.engagements_ENG-7.task-design",
        "so_line/id": "weir_be01.engagements_ENG-7.line-senior",
        is_so_line_edited: true,
      },
    })
  })

  it("keeps unbillable time off every order line", () => {
    const { task: _, ...loose } = timesheet
    const row = rowsOf(type, "line", writeOf(type, { ...loose, billable: false }, { ids: { employee: 77 } }))
    assert.deepStrictEqual((row as Row).values, {
      date: "2026-10-05",
      name: "Design of the fleet model",
      unit_amount: "7.25",
      "employee_id/.id": "77",
      "project_id/id": "weir_be01.engagements_ENG-7.project",
      "task_id/id": "",
      "so_line/id": "",
      is_so_line_edited: true,
    })
  })
})
