/**
 * Whatever order an engagement's events arrive in, as long as each keeps its source version, Odoo ends in the same state.
 * Random, seeded: `WEIR_SEED` repeats a run; a failure names its seed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { StandIn } from "../../fixtures/odoo/StandIn.ts"
import { Random } from "../../fixtures/generator/Random.ts"
import { pass, ports, publication, publish, running, tallies } from "../simulation/World.ts"
import { customer, engagement } from "./samples.ts"
import { seedOf } from "../faults/seed.ts"

const ORDERS = 12
const seed = seedOf("permutations")

const { legalEntity: _, ...agreement } = engagement
/** Each version says all that the earlier ones did. */
const second = {
  ...agreement,
  endDate: "2027-01-31",
  lines: [{ ...agreement.lines[0], quantity: "200", unitPrice: "131" }, agreement.lines[1], {
    key: "junior",
    description: "Junior",
    quantity: "80",
    unitPrice: "80.10",
    taxCode: "S21",
  }],
  tasks: [agreement.tasks[0], { ...agreement.tasks[1], line: "junior" }],
}
const third = {
  ...second,
  name: "Fleet planning and care",
  lines: [second.lines[0], { ...second.lines[1]!, quantity: "2" }, { ...second.lines[2]!, quantity: "0" }],
  milestones: [agreement.milestones[0], { key: "end", name: "End", line: "setup", fraction: "0.6" }],
}
const timesheet = (key: string, line: string, hours: string) => ({
  key,
  engagement: "ENG-7",
  line,
  consultant: "c01@be01.example.test",
  date: "2026-11-03",
  hours,
  description: "Work",
  billable: true,
})
const rate = {
  key: "senior-2027",
  engagement: "ENG-7",
  role: "Senior",
  consultants: ["c01@be01.example.test"],
  unitPrice: "150",
  standardPrice: "145",
  requestedBy: "sam@example.test",
  taxCode: "S21",
  from: "2027-01-01",
}
const milestone = (type: "completed" | "reopened", sequence: number, key = "go-live") =>
  publication(
    `milestone.${type}`,
    { key, engagement: "ENG-7", milestone: key, ...(type === "completed" && { date: "2026-11-28" }) },
    { sequence },
  )

const events = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", agreement, { sequence: 1 }),
  publication("engagement.amended", second, { sequence: 2 }),
  publication("engagement.amended", third, { sequence: 3 }),
  publication("rate.assigned", rate, { sequence: 1 }),
  publication("rate.assigned", { ...rate, unitPrice: "155" }, { sequence: 2 }),
  publication("approval.granted", { key: "senior-2027", flow: "rates", by: "fin@example.test" }, { sequence: 1 }),
  milestone("completed", 1),
  milestone("reopened", 2),
  milestone("completed", 3),
  milestone("completed", 1, "end"),
  publication("timesheet.approved", timesheet("T-1", "senior", "4")),
  publication("timesheet.approved", timesheet("T-2", "junior", "2.5")),
  publication("timesheet.approved", timesheet("T-3", "senior-2027", "3")),
]
/** Closing is the last version of its own; amendments after it are exceptions by rule. */
const closed = publication("engagement.closed", { key: "ENG-7", date: "2026-12-31" }, { sequence: 1 })

const models = [
  "account.analytic.account",
  "project.project",
  "sale.order",
  "sale.order.line",
  "project.milestone",
  "project.task",
  "account.analytic.line",
]
/** What depends on when and in which order Odoo heard of it. */
const incidental = new Set([
  "id",
  "create_date",
  "write_date",
  "create_uid",
  "write_uid",
  "date_order",
  "name_of_order",
])

/** Everything that stands, by external id, with references by external id too. */
const state = ({ store }: StandIn): Record<string, unknown> => {
  const names = new Map<string, string>()
  for (const [model, ids] of store.externalIds) for (const [name, id] of ids) names.set(`${model} ${id}`, name)
  const rows: Array<readonly [string, unknown]> = []
  for (const model of models) {
    const { fields } = store.tables.get(model)!.model
    for (const [name, id] of store.externalIds.get(model)!) {
      const rec = store.tables.get(model)!.rows.get(id)
      const values = Object.entries(rec ?? {}).filter(([field]) =>
        !incidental.has(field) && !(model === "sale.order" && field === "name")
      ).map(([field, value]) => {
        const of = fields[field]?.model
        const named = (one: unknown) =>
          of === undefined ? String(one) : names.get(`${of} ${String(one)}`) ?? String(one)
        return [field, Array.isArray(value) ? value.map(named).sort() : named(value)] as const
      })
      rows.push([name, Object.fromEntries(values.sort())])
    }
  }
  return Object.fromEntries(rows.sort())
}

/** Arrives in this order, with or without time in between. */
const outcome = (order: ReadonlyArray<typeof events[number]>, random: Random | null) => {
  const world = ports()
  return Effect.gen(function* () {
    for (const event of order) {
      yield* publish(event)
      if (random?.chance(0.3) === true) yield* pass(2)
    }
    yield* pass(30)
    yield* publish(closed)
    yield* pass(10)
    const counts = yield* tallies()
    const held = [...counts.values()].reduce((sum, { behind, parked, waiting }) => sum + behind + parked + waiting, 0)
    return { held, state: state(world.standIn) }
  }).pipe(Effect.provide(running()), Effect.provide(world.layer))
}

describe("an engagement's events", () => {
  it.effect(`end in one state, whatever order they arrive in (seed ${seed})`, () =>
    Effect.gen(function* () {
      const expected = yield* outcome(events, null)
      assert.strictEqual(expected.held, 0)
      assert.isAbove(Object.keys(expected.state).length, 10)
      for (let turn = 0; turn < ORDERS; turn++) {
        const random = new Random(seed, "permutation", turn)
        const order = [...events]
        for (let at = order.length - 1; at > 0; at--) {
          const other = random.int(0, at)
          ;[order[at], order[other]] = [order[other]!, order[at]!]
        }
        const found = yield* outcome(order, random)
        const about = `seed ${seed}, order ${turn}: ${order.map(({ messageId }) => messageId).join(", ")}`
        assert.deepStrictEqual(found, expected, about)
      }
    }), 120_000)
})
