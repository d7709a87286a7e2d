import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { publication, tallies } from "../simulation/World.ts"
import { codes, send, trial } from "./Trial.ts"
import { coordinates, outline, refusalOf, rowsOf, specOf, stepOf, writeOf } from "./specs.ts"

const type = "exchange-rate.published"
const rate = { currency: "JPY", date: "2026-11-01", rate: "160.125" }

const known = (...records: ReadonlyArray<object>) => ({ ids: { currency: 25 }, read: { known: { records } } })
const entered = (...records: ReadonlyArray<object>) => {
  const step = stepOf(type, "entered")
  if (step._tag !== "Update") throw new Error("entered is no update")
  return step.records(writeOf(type, rate, known(...records)))
}

describe("exchange-rate.published", () => {
  it("is one of its currency and day, of which the newest version stands", () => {
    assert.deepStrictEqual(coordinates(type, rate), {
      key: "JPY-2026-11-01",
      parents: ["currency:JPY"],
      references: [],
      versions: "gate",
    })
    assert.deepStrictEqual(outline(type), [
      "Check foreign",
      "Resolve currency res.currency",
      "Load activated res.currency upsert",
      "Query known res.currency.rate",
      "Load rate res.currency.rate upsert",
      "Update entered res.currency.rate",
    ])
  })

  it("becomes a rate of ours, to the last digit, where the day has none or ours", () => {
    const row = {
      externalId: "weir_be01.exchange-rates_JPY-2026-11-01",
      values: { name: "2026-11-01", "currency_id/id": "base.JPY", "company_id/.id": "3", company_rate: "160.125" },
    }
    const own = { id: 8, external_id: "weir_be01.exchange-rates_JPY-2026-11-01" }
    assert.deepStrictEqual(rowsOf(type, "rate", writeOf(type, rate, known())), row)
    assert.deepStrictEqual(rowsOf(type, "rate", writeOf(type, rate, known(own))), row)
    assert.deepStrictEqual(entered(own), [])
  })

  it("is written into the rate that people entered, because Odoo has one per day", () => {
    const theirs = { id: 8, external_id: "" }
    assert.deepStrictEqual(rowsOf(type, "rate", writeOf(type, rate, known(theirs))), [])
    assert.deepStrictEqual(entered(theirs), [8])
  })

  it("is refused for the company's own currency, and for no money at all", () => {
    assert.strictEqual(refusalOf(type, "foreign", writeOf(type, { ...rate, currency: "EUR" }))?.code, "EVENT-INVALID")
    assert.throws(() => writeOf(type, { ...rate, rate: "0" }), /rate|zero|positive|greater/u)
  })

  it("is kept as a fact", () => {
    assert.strictEqual(specOf(type).fact?.(writeOf(type, rate).data), "160.125 JPY from 2026-11-01")
  })
})

describe("an exchange rate on its way into Odoo", () => {
  const sent = (value: string, sequence: number) =>
    publication(type, { ...rate, key: "JPY", rate: value }, { sequence })
  const stored = (world: ReturnType<typeof trial>) =>
    world.rows("res.currency.rate").filter((row) => row["name"] === rate.date).map((row) =>
      Number(row["company_rate"]) / 1e6
    )

  it.effect("activates its currency, and the newest version of the day stands whatever comes first", () => {
    const world = trial()
    return world.layer(Effect.gen(function* () {
      yield* send(sent("161.5", 2))
      yield* send(sent("160.125", 1))
      assert.deepStrictEqual([yield* codes, stored(world)], [[], [161.5]])
      assert.deepInclude((yield* tallies()).get("exchange-rates"), { applied: 1, superseded: 1 })
      yield* send(sent("162", 3))
      assert.deepStrictEqual(stored(world), [162])
    }))
  })
})
