/** Exceptions as others hear of them, on the whole product in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ExceptionRaised, ExceptionResolved } from "../../schemas/facts/weir.ts"
import { Desk } from "../../src/ledger/Desk.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { pass, publication } from "../simulation/World.ts"
import { timesheet } from "../streams/samples.ts"
import { basis, codes, published, send, trial } from "../streams/Trial.ts"

const stranger = "c01@uk01.example.test"
const approved = publication("timesheet.approved", { ...timesheet, consultant: stranger }, { sequence: 1 })
const EVENT = "test#timesheet.approved-T-1-1"

/** Nothing beyond what is documented. */
const STRICT = { onExcessProperty: "error" } as const

const facts = (type: "raised" | "resolved") =>
  Effect.map(
    published(`exception.${type}`),
    (all) =>
      all.map(({ causationid, correlationid, data }): Record<string, unknown> => ({
        causationid,
        correlationid,
        ...Schema.decodeUnknownSync(type === "raised" ? ExceptionRaised : ExceptionResolved, STRICT)(data),
      })),
  )
const about = { causationid: EVENT, correlationid: EVENT, entity: "be01", flow: "timesheets", key: "T-1" }

describe("an exception", () => {
  it.effect("is told to others when it is raised, and when it went through after all", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved)
      const raised = [{ ...about, code: "MASTER-DATA-MISSING" }]
      assert.deepStrictEqual([yield* facts("raised"), yield* facts("resolved")], [raised, []])

      // Tried again for nothing: it is the same exception.
      yield* Ledger.use((ledger) => ledger.retry("be01", [EVENT]))
      yield* pass(10)
      assert.deepStrictEqual([yield* codes, yield* facts("raised")], [["T-1 parked MASTER-DATA-MISSING"], raised])

      world.ask("hr.employee", "create", { vals_list: [{ name: "New", work_email: stranger, company_id: 3 }] })
      yield* pass(700)
      yield* Ledger.use((ledger) => ledger.retry("be01", [EVENT]))
      yield* pass(10)
      assert.deepStrictEqual([yield* codes, yield* facts("raised")], [[], raised])
      assert.deepStrictEqual(yield* facts("resolved"), [{ ...about, code: "MASTER-DATA-MISSING", how: "applied" }])
    }))
  })

  it.effect("that a person gives up is told as resolved, once", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(...basis, approved)
      for (let n = 0; n < 2; n++) {
        yield* Desk.use((desk) => desk.dismiss("be01", [EVENT], { actor: "ada", reason: "entered twice" }))
        yield* pass(12)
      }
      assert.deepStrictEqual(yield* facts("resolved"), [{ ...about, code: "MASTER-DATA-MISSING", how: "dismissed" }])
    }))
  })

  it.effect("of a subject that nobody reads is told too", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send({ ...approved, subject: "erp.be01.weather.changed", messageId: "w" })
      yield* pass(15)
      const told = yield* published("exception.raised", "_unrouted")
      assert.deepStrictEqual(told.map(({ data }) => data["code"]), ["EVENT-UNKNOWN-TYPE"])
    }))
  })
})
