import { assert, describe, it } from "@effect/vitest"
import { earlier, Scan } from "../../../src/actor/feed/Scan.ts"
import { Random } from "../../../fixtures/generator/Random.ts"
import { seedOf } from "../../faults/seed.ts"

const OVERLAP = 300_000
const at = (second: number): string =>
  `2026-11-22 05:${String(Math.floor(second / 60)).padStart(2, "0")}:${String(second % 60).padStart(2, "0")}`
const place = (id: number, second: number) => ({ id, write_date: at(second) })

describe("a scan", () => {
  it("asks for what was written since its floor, page after page in the order of the stamps", () => {
    const scan = new Scan(at(0), OVERLAP)
    assert.deepStrictEqual(scan.next(0), [["write_date", ">", at(0)]])
    scan.looked([place(7, 3), place(9, 3)], [], false, 0)
    assert.deepStrictEqual(scan.next(0), [
      "|",
      ["write_date", ">", at(3)],
      "&",
      ["write_date", "=", at(3)],
      ["id", ">", 9],
    ])
    scan.looked([place(8, 4)], [], true, 0)
    assert.deepStrictEqual(scan.next(0), [["write_date", ">", at(0)]])
  })

  it("raises its floor to a time only when the longest transaction has passed since it was seen", () => {
    const scan = new Scan(at(0), OVERLAP)
    const pass = (now: number, ...page: ReadonlyArray<ReturnType<typeof place>>) => {
      scan.next(now)
      return scan.looked(page, [], true, now)
    }
    assert.isFalse(pass(0, place(1, 10)))
    assert.isFalse(pass(OVERLAP, place(1, 10)))
    assert.strictEqual(scan.floor, at(0))
    assert.isTrue(pass(OVERLAP + 1_000, place(1, 10), place(2, 20)))
    assert.strictEqual(scan.floor, at(10))
    // Quiet from then on: nothing is read again for ever.
    assert.isFalse(pass(OVERLAP + 2_000, place(2, 20)))
    assert.isTrue(pass(2 * OVERLAP + 3_000, place(2, 20)))
    assert.strictEqual(scan.floor, at(20))
  })

  it("keeps its floor below what is left for a later pass", () => {
    const scan = new Scan(at(0), OVERLAP)
    scan.next(0)
    scan.looked([place(1, 10), place(2, 20)], [], true, 0)
    const late = 2 * OVERLAP
    scan.next(late)
    assert.isTrue(scan.looked([place(1, 10), place(2, 20)], [place(1, 10)], true, late))
    assert.strictEqual(scan.floor, at(9))
  })

  it("begins anew when a pass breaks off", () => {
    const scan = new Scan(at(0), OVERLAP)
    scan.next(0)
    scan.looked([place(1, 10)], [], false, 0)
    scan.broken()
    assert.deepStrictEqual(scan.next(1), [["write_date", ">", at(0)]])
  })

  it("reckons with Odoo's times as text", () => {
    assert.strictEqual(earlier("2026-11-01 00:00:03", 5_000), "2026-10-31 23:59:58")
    assert.strictEqual(earlier("1970-01-01 00:00:03", 5_000), "1970-01-01 00:00:00")
  })

  const seed = seedOf("feed-scan")
  it(`misses no transaction, however late it is committed, and reads nothing for ever (seed ${seed})`, () => {
    for (let turn = 0; turn < 40; turn++) {
      const random = new Random(seed, "scan", turn)
      // Odoo's clock is ahead of ours or behind it by hours: nobody may care.
      const skew = random.int(-20_000, 20_000) * 1_000
      const origin = Date.UTC(2026, 10, 22) + skew
      const stamp = (millis: number) => new Date(origin + millis).toISOString().slice(0, 19).replace("T", " ")
      const overlap = 60_000
      const end = 1_200_000
      const writes = Array.from({ length: random.int(1, 120) }, (_, id) => {
        const begun = random.int(0, end)
        return { id: id + 1, write_date: stamp(begun), committed: begun + random.int(0, overlap) }
      })
      const scan = new Scan(stamp(-1_000), overlap)
      const seen = new Set<number>()
      let read = 0
      let now = 0
      let quiet = 0
      while (quiet < 3) {
        const domain = JSON.stringify(scan.next(now))
        const after = domain.startsWith('["|"') ? JSON.parse(domain) as ReadonlyArray<ReadonlyArray<string>> : null
        const [date, id] = after === null ? [scan.floor, Infinity] : [after[1]![2]!, Number(after[4]![2])]
        const rows = writes.filter((one) =>
          one.committed <= now && (one.write_date > date || (one.write_date === date && one.id > id))
        ).sort((a, b) => a.write_date < b.write_date ? -1 : a.write_date > b.write_date ? 1 : a.id - b.id)
        const page = rows.slice(0, 7)
        read += page.length
        for (const one of page) seen.add(one.id)
        now += random.int(1, 400)
        scan.looked(page, [], page.length < 7, now)
        if (page.length < 7) now += random.int(1_000, 30_000)
        if (now > end + 4 * overlap) quiet = page.length === 0 ? quiet + 1 : 0
        if (now > end + 60 * overlap) break
      }
      assert.strictEqual(seen.size, writes.length, `seed ${seed}, turn ${turn}`)
      assert.strictEqual(quiet, 3, `seed ${seed}, turn ${turn}: it still reads ${read}`)
    }
  })
})
