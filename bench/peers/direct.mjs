/**
 * The limit: everything known beforehand, no stream, no ledger, no look at what is there; full calls of `load`, as many at
 * once as Odoo has workers, each on engagements of its own so that no two collide. Reads events from a file.
 */
import { readFileSync } from "node:fs"
import { employeeOf, load, rowOf } from "./odoo.mjs"

const SIZE = Number(process.env.DIRECT_SIZE ?? 200)
const WORKERS = Number(process.env.WORKERS ?? 2)
const events = readFileSync(process.env.EVENTS, "utf8").trimEnd().split("\n")
  .map((line) => JSON.parse(line))
const shares = Array.from({ length: WORKERS }, () => [])
const shareOf = new Map()
for (const { data } of events) {
  if (!shareOf.has(data.engagement)) {
    shareOf.set(data.engagement, shareOf.size % WORKERS)
  }
  shares[shareOf.get(data.engagement)].push(data)
}
await Promise.all(shares.map(async (share) => {
  for (let from = 0; from < share.length; from += SIZE) {
    const part = share.slice(from, from + SIZE)
    await load(
      await Promise.all(
        part.map(async (data) => rowOf(data, await employeeOf(data.consultant))),
      ),
    )
  }
}))
