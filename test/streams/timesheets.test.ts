import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pass, publication, tallies } from "../simulation/World.ts"
import { engagement, timesheet } from "./samples.ts"
import { basis, codes, published, send, trial } from "./Trial.ts"

const TIMESHEET = "account.analytic.line"
const SENIOR = "engagements_ENG-7.line-senior"

/** Seconds after which the broker takes a known message id for a new message. */
const BROKER_FORGETS = 121

type Line = Record<string, unknown> & { readonly key: string }

const approved = (changes: Partial<Line> = {}, sequence = 1) =>
  publication("timesheet.approved", { ...timesheet, ...changes }, { sequence })
const corrected = (changes: Partial<Line>, sequence = 2) =>
  publication("timesheet.corrected", { ...timesheet, ...changes }, { sequence })
const withdrawn = (sequence = 3, key = timesheet.key) =>
  publication("timesheet.withdrawn", { key, engagement: timesheet.engagement }, { sequence })

/** As billing does: the timesheets are on an invoice, a draft or posted. */
const invoiced = (world: ReturnType<typeof trial>, names: ReadonlyArray<string>, post = true): number => {
  const line = world.record("sale.order.line", SENIOR)!
  const [invoice] = world.ask("account.move", "create", {
    vals_list: [{
      move_type: "out_invoice",
      partner_id: world.record("res.partner", "customers_CUS-0042")!.id,
      invoice_date: "2026-10-31",
      invoice_line_ids: [[0, 0, {
        name: "Senior",
        quantity: 7.25,
        price_unit: 125.5,
        sale_line_ids: [[6, 0, [line.id]]],
      }]],
    }],
  }) as ReadonlyArray<number>
  const ids = names.map((name) => world.record(TIMESHEET, name)!.id)
  world.ask(TIMESHEET, "write", { ids, vals: { timesheet_invoice_id: invoice } })
  if (post) world.ask("account.move", "action_post", { ids: [invoice] })
  return invoice!
}

const hours = (world: ReturnType<typeof trial>) =>
  world.rows(TIMESHEET)
    // Posted invoices leave analytic lines of their own.
    .filter((row) => row["project_id"] !== null && row["_external_id"] !== undefined)
    .map((row) => [row["_external_id"], Number(row["unit_amount"]) / 1e6])

describe("timesheet.approved", () => {
  it.effect("delivers its hours to the order line, and says what is ready to bill", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved(), approved({ key: "T-2", hours: "2" }))
      assert.deepStrictEqual(world.quantities(SENIOR), [9.25, 9.25])
      const sheet = world.record(TIMESHEET, "timesheets_T-1")!
      assert.deepInclude(sheet, { date: "2026-10-05", name: "Design of the fleet model", is_so_line_edited: true })
      assert.strictEqual(sheet["so_line"], world.record("sale.order.line", SENIOR)!.id)
      assert.strictEqual(sheet["task_id"], world.record("project.task", "engagements_ENG-7.task-design")!.id)
      const ready = yield* published("timesheet.ready")
      assert.deepStrictEqual(
        ready.map(({ data }) => data),
        ["T-1", "T-2"].map((key) => ({
          timesheet: key,
          engagement: "ENG-7",
          line: "senior",
          hours: key === "T-1" ? "7.25" : "2.00",
          ready: { lineId: world.record("sale.order.line", SENIOR)!.id, delivered: "9.25", toInvoice: "9.25" },
          released: null,
        })),
      )
    }))
  })

  it.effect("waits for its engagement and its line, and is written once however often it comes", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(approved(), approved())
      assert.deepStrictEqual(yield* codes, ["T-1 waiting REFERENCE-MISSING"])
      yield* send(...basis)
      yield* pass(BROKER_FORGETS)
      yield* send(approved())
      assert.deepStrictEqual([yield* codes, hours(world)], [[], [["weir_be01.timesheets_T-1", 7.25]]])
      assert.deepInclude((yield* tallies()).get("timesheets"), { applied: 1, duplicate: 1 })
      assert.strictEqual((yield* published("timesheet.ready")).length, 1)
    }))
  })

  it.effect("unbillable time is cost on no order line, and nothing is ready by it", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved({ billable: false }))
      assert.deepInclude(world.record(TIMESHEET, "timesheets_T-1"), { so_line: 0, is_so_line_edited: true })
      assert.deepStrictEqual([world.quantities(SENIOR), yield* published("timesheet.ready")], [[0, 0], []])
    }))
  })

  it.effect("time on a fixed price or a milestone stands there and makes nothing ready", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved({ line: "setup" }))
      const line = world.record("sale.order.line", "engagements_ENG-7.line-setup")!
      assert.deepInclude(world.record(TIMESHEET, "timesheets_T-1"), { so_line: line.id })
      assert.deepStrictEqual(yield* published("timesheet.ready"), [])
    }))
  })

  it.effect("is refused before anything is written when its order is not under way", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      const order = world.record("sale.order", "engagements_ENG-7")!
      world.ask("sale.order", "action_cancel", { ids: [order.id] })
      yield* send(approved(), approved({ key: "T-2", billable: false }))
      assert.deepStrictEqual(yield* codes, ["T-1 parked NOT-BILLABLE"])
      assert.deepStrictEqual(hours(world), [["weir_be01.timesheets_T-2", 7.25]])
    }))
  })

  it.effect("is refused on a line that is only billed by use", () => {
    const world = trial()
    const [customer] = basis
    const lines = [...engagement.lines, {
      key: "tokens",
      description: "Tokens",
      quantity: "0",
      unitPrice: "0.02",
      taxCode: "S21",
      kind: "usage",
    }]
    return world.layer(Effect.gen(function* () {
      yield* send(
        customer!,
        publication("engagement.activated", { ...engagement, lines }),
        approved({ line: "tokens" }),
      )
      assert.deepStrictEqual(yield* codes, ["T-1 parked NOT-BILLABLE"])
    }))
  })

  it.effect("of a closed engagement is written for days up to its last", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("engagement.closed", { key: "ENG-7", date: "2026-10-31" }, { sequence: 1 }))
      yield* send(approved(), approved({ key: "T-2", date: "2026-11-02" }))
      assert.deepStrictEqual(yield* codes, ["T-2 parked ENGAGEMENT-CLOSED"])
      assert.deepStrictEqual(hours(world), [["weir_be01.timesheets_T-1", 7.25]])
    }))
  })

  it.effect("of somebody whom the company does not employ is an exception", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved({ consultant: "c01@uk01.example.test" }))
      assert.deepStrictEqual(yield* codes, ["T-1 parked MASTER-DATA-MISSING"])
    }))
  })
})

describe("timesheet.corrected", () => {
  it.effect("changes what is not invoiced, and the delivered hours follow", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      yield* send(corrected({ hours: "6.5", date: "2026-10-06", description: "Design" }))
      assert.deepStrictEqual([hours(world), world.quantities(SENIOR)], [[["weir_be01.timesheets_T-1", 6.5]], [
        6.5,
        6.5,
      ]])
      assert.deepInclude(world.record(TIMESHEET, "timesheets_T-1"), { date: "2026-10-06", name: "Design" })
      const [, again] = yield* published("timesheet.ready")
      assert.deepInclude(again?.data, { hours: "6.50", released: null })
    }))
  })

  it.effect("moves time to another line and to none, and tells what is released", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved(), approved({ key: "T-2" }))
      yield* send(
        corrected({ line: "setup", task: "steering" }),
        publication(
          "timesheet.corrected",
          { ...timesheet, key: "T-2", billable: false },
          { sequence: 2 },
        ),
      )
      assert.deepStrictEqual([yield* codes, world.quantities(SENIOR)], [[], [0, 0]])
      const [, , moved, freed] = yield* published("timesheet.ready")
      const released = { lineId: world.record("sale.order.line", SENIOR)!.id, delivered: "0.00", toInvoice: "0.00" }
      assert.deepInclude(moved?.data, { line: "setup", ready: null })
      assert.deepInclude(freed?.data, { line: null, ready: null, released })
    }))
  })

  it.effect("leaves what is invoiced, takes it back on its own day and says it anew", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      invoiced(world, ["timesheets_T-1"])
      yield* send(corrected({ hours: "6.5", date: "2026-10-06" }), corrected({ hours: "6.5", date: "2026-10-06" }))
      assert.deepStrictEqual(hours(world), [
        ["weir_be01.timesheets_T-1", 7.25],
        ["weir_be01.timesheets_T-1.correction-1", 6.5],
        ["weir_be01.timesheets_T-1.reversal-1", -7.25],
      ])
      assert.deepInclude(world.record(TIMESHEET, "timesheets_T-1.reversal-1"), {
        date: "2026-10-05",
        ref: "T-1.reversal-1",
      })
      assert.deepStrictEqual(world.quantities(SENIOR), [6.5, -0.75])
      // The next correction goes on from the first one.
      yield* send(corrected({ hours: "7" }, 3))
      assert.deepStrictEqual(hours(world)[1], ["weir_be01.timesheets_T-1.correction-1", 7])
      invoiced(world, ["timesheets_T-1.correction-1"], false)
      yield* send(corrected({ hours: "1" }, 4))
      assert.deepStrictEqual(hours(world).slice(3), [
        ["weir_be01.timesheets_T-1.correction-2", 1],
        ["weir_be01.timesheets_T-1.reversal-2", -7],
      ])
    }))
  })

  it.effect("of an invoice that was cancelled changes the line itself", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      world.ask("account.move", "button_cancel", { ids: [invoiced(world, ["timesheets_T-1"])] })
      yield* send(corrected({ hours: "6.5" }))
      assert.deepStrictEqual([hours(world), world.quantities(SENIOR)], [[["weir_be01.timesheets_T-1", 6.5]], [
        6.5,
        6.5,
      ]])
    }))
  })

  it.effect("before its approval makes the line, and the approval is superseded", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      yield* send(corrected({ hours: "6.5" }))
      yield* send(approved())
      assert.deepStrictEqual([yield* codes, hours(world)], [[], [["weir_be01.timesheets_T-1", 6.5]]])
      assert.deepInclude((yield* tallies()).get("timesheets"), { applied: 1, superseded: 1 })
      yield* send(corrected({ hours: "5" }, 1))
      assert.deepStrictEqual(hours(world), [["weir_be01.timesheets_T-1", 6.5]])
    }))
  })

  it.effect("of a line that a person deleted, or of another engagement, is an exception", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, publication("engagement.activated", { ...engagement, key: "ENG-8" }))
      yield* send(approved(), approved({ key: "T-2" }))
      world.ask(TIMESHEET, "unlink", { ids: [world.record(TIMESHEET, "timesheets_T-1")!.id] })
      yield* send(
        corrected({ hours: "6.5" }),
        publication("timesheet.corrected", { ...timesheet, key: "T-2", engagement: "ENG-8" }, { sequence: 2 }),
      )
      assert.deepStrictEqual(yield* codes, ["T-1 parked ODOO-RECORD-MISSING", "T-2 parked EVENT-CHANGED"])
      assert.deepStrictEqual(hours(world), [["weir_be01.timesheets_T-2", 7.25]])
    }))
  })
})

describe("a correction that was interrupted after Odoo had it", () => {
  it.effect("and was invoiced meanwhile is not made a second time", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      // As if the plan had run and its outcome had been lost: rewritten, then invoiced as it stands.
      const sheet = world.record(TIMESHEET, "timesheets_T-1")!
      world.ask(TIMESHEET, "write", { ids: [sheet.id], vals: { unit_amount: 6.5 } })
      invoiced(world, ["timesheets_T-1"])
      yield* send(corrected({ hours: "6.5" }))
      assert.deepStrictEqual([yield* codes, hours(world)], [[], [["weir_be01.timesheets_T-1", 6.5]]])
    }))
  })

  it.effect("and whose invoice was taken back meanwhile goes on with the lines it had begun", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      const sheet = world.record(TIMESHEET, "timesheets_T-1")!
      const invoice = invoiced(world, ["timesheets_T-1"])
      // The reversal stands already; then the invoice is cancelled, and the line could be rewritten.
      world.ask(TIMESHEET, "load", {
        fields: ["id", "date", "name", "unit_amount", "employee_id/.id", "project_id/.id", "so_line/.id", "ref"],
        data: [[
          "weir_be01.timesheets_T-1.reversal-1",
          "2026-10-05",
          "x",
          "-7.25",
          ...[sheet["employee_id"], sheet["project_id"], sheet["so_line"]].map(String),
          "T-1.reversal-1",
        ]],
      })
      world.ask("account.move", "button_cancel", { ids: [invoice] })
      yield* send(corrected({ hours: "6.5" }))
      assert.deepStrictEqual([...hours(world)].sort(), [
        ["weir_be01.timesheets_T-1", 7.25],
        ["weir_be01.timesheets_T-1.correction-1", 6.5],
        ["weir_be01.timesheets_T-1.reversal-1", -7.25],
      ])
    }))
  })
})

describe("timesheet.withdrawn", () => {
  it.effect("deletes what is not invoiced, and nothing that comes again makes it anew", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      yield* send(withdrawn())
      assert.deepStrictEqual([hours(world), world.quantities(SENIOR)], [[], [0, 0]])
      const [, gone] = yield* published("timesheet.ready")
      assert.deepInclude(gone?.data, { hours: "0.00", line: null, ready: null })
      // The same events; then the approval and a correction under new identities, without a sequence.
      yield* pass(BROKER_FORGETS)
      yield* send(approved(), withdrawn(), corrected({}, 2))
      yield* send(
        publication("timesheet.approved", timesheet, { id: "again" }),
        publication("timesheet.corrected", timesheet, { id: "late" }),
      )
      assert.deepStrictEqual(hours(world), [])
      assert.deepStrictEqual(yield* codes, ["T-1 parked EVENT-CHANGED", "T-1 behind BEHIND-EXCEPTION"])
      assert.deepInclude((yield* tallies()).get("timesheets"), { applied: 2, duplicate: 2, superseded: 1 })
    }))
  })

  it.effect("leaves what is invoiced and takes it back", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      invoiced(world, ["timesheets_T-1"], false)
      yield* send(withdrawn())
      assert.deepStrictEqual(hours(world), [
        ["weir_be01.timesheets_T-1", 7.25],
        ["weir_be01.timesheets_T-1.reversal-1", -7.25],
      ])
      assert.deepStrictEqual(world.quantities(SENIOR), [0, -7.25])
    }))
  })

  it.effect("before its approval and its correction, keeps both out", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis)
      yield* send(withdrawn())
      yield* send(corrected({}), approved())
      assert.deepStrictEqual([yield* codes, hours(world)], [[], []])
      assert.deepInclude((yield* tallies()).get("timesheets"), { applied: 1, superseded: 2 })
    }))
  })

  it.effect("of what a person deleted already is done", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved())
      world.ask(TIMESHEET, "unlink", { ids: [world.record(TIMESHEET, "timesheets_T-1")!.id] })
      yield* send(withdrawn())
      assert.deepStrictEqual([yield* codes, hours(world)], [[], []])
    }))
  })
})
