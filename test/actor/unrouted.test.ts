/** What no consumer would ever look at, on the whole product in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { lineOf } from "../../src/actor/Unrouted.ts"
import { pass, publication } from "../simulation/World.ts"
import { timesheet } from "../streams/samples.ts"
import { basis, held, send, trial } from "../streams/Trial.ts"

const approved = publication("timesheet.approved", timesheet, { sequence: 1 })
const on = (subject: string, messageId = subject) => ({ ...approved, subject, messageId })
const codes = Effect.map(held, (records) => records.map(({ code, message }) => `${message.subject} ${code}`))

describe("an event on a subject that no consumer takes in", () => {
  it.effect("becomes an exception when its subject ends before the event, wherever the flow itself has got to", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(on("erp.be01.timesheet", "before"), ...basis, approved, on("erp.be01.timesheet"), on("erp.be01"))
      yield* pass(15)
      assert.deepStrictEqual((yield* codes).toSorted(), [
        "erp.be01 EVENT-UNKNOWN-TYPE",
        "erp.be01.timesheet EVENT-UNKNOWN-TYPE",
        "erp.be01.timesheet EVENT-UNKNOWN-TYPE",
      ])
      const one = (yield* held).find(({ message }) => message.subject === "erp.be01.timesheet")
      assert.include(one?.detail, "erp.be01.timesheet.<event>")
      assert.lengthOf(world.rows("account.analytic.line"), 1)
    }))
  })

  it.effect("becomes one beside others whose subjects look alike, in whatever order they come", () => {
    const subjects = ["erp.zz99.time-sheet.approved", "erp.zz99.time.sheet.approved", "erp.zz99.time.sheet-approved"]
    return trial().layer(Effect.gen(function* () {
      yield* send(...[...subjects, ...subjects.toReversed()].map((subject, n) => on(subject, `${n}`)))
      yield* pass(6)
      assert.deepStrictEqual(
        (yield* codes).toSorted(),
        subjects.flatMap((subject) => [subject, subject]).map((subject) => `${subject} EVENT-UNKNOWN-ENTITY`)
          .toSorted(),
      )
    }))
  })

  it("has a checkpoint of its own, under a name that says which", () => {
    const subjects = ["a.b", "a-b", "a_b", "a~2d~b", "a~b", "a.-b", "a-.b", "é", "e", "", "-", ".", "😀", "a b", "a\tb"]
    assert.strictEqual(new Set(subjects.map(lineOf)).size, subjects.length)
    assert.strictEqual(lineOf("erp.be01.weather_now.changed"), "erp-be01-weather_now-changed")
    assert.strictEqual(lineOf("erp.be01.time-sheet.approved"), "erp-be01-time~2d~sheet-approved")
  })
})
