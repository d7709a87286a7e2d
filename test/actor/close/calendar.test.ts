import { assert, describe, it } from "@effect/vitest"
import { type CloseCalendar, dayIn, isInClose, isTimeZone } from "../../../src/actor/close/calendar.ts"

const at = (iso: string): number => Date.parse(iso)
const calendar = (more: Partial<CloseCalendar>): CloseCalendar => ({ timeZone: "UTC", days: [], ranges: [], ...more })
const daysOf = (more: CloseCalendar, month: string, length: number): ReadonlyArray<number> =>
  Array.from({ length }, (_, n) => n + 1).filter((day) =>
    isInClose(more, at(`${month}-${String(day).padStart(2, "0")}T12:00:00Z`))
  )

describe("a close calendar", () => {
  it("counts days of the month from its beginning and from its end, whatever its length", () => {
    const monthEnd = calendar({ days: [-2, -1, 1, 2, 3] })
    assert.deepStrictEqual(daysOf(monthEnd, "2026-11", 30), [1, 2, 3, 29, 30])
    assert.deepStrictEqual(daysOf(monthEnd, "2026-12", 31), [1, 2, 3, 30, 31])
    assert.deepStrictEqual(daysOf(monthEnd, "2028-02", 29), [1, 2, 3, 28, 29])
    assert.deepStrictEqual(daysOf(calendar({ days: [31] }), "2026-11", 30), [], "no such day")
  })

  it("has ranges, their first and last day included", () => {
    const yearEnd = calendar({ ranges: [{ from: "2026-12-28", to: "2027-01-02" }] })
    assert.deepStrictEqual(daysOf(yearEnd, "2026-12", 31), [28, 29, 30, 31])
    assert.deepStrictEqual(daysOf(yearEnd, "2027-01", 31), [1, 2])
    assert.deepStrictEqual(daysOf(calendar({}), "2026-12", 31), [])
  })

  it("has its days in its time zone, over the change of the clocks too", () => {
    const first = calendar({ timeZone: "Europe/Brussels", days: [1] })
    assert.isFalse(isInClose(first, at("2026-10-31T22:59:59Z")))
    assert.isTrue(isInClose(first, at("2026-10-31T23:00:00Z")))
    assert.isTrue(isInClose(first, at("2026-06-30T22:00:00Z")))
    assert.isFalse(isInClose(first, at("2026-06-30T21:59:59Z")))
    assert.strictEqual(dayIn("Pacific/Auckland", at("2026-12-31T11:00:00Z")), "2027-01-01")
    assert.deepStrictEqual(["Europe/Brussels", "UTC", "Europe/Nowhere", ""].map(isTimeZone), [true, true, false, false])
  })
})
