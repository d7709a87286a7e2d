/**
 * The limit: everything known beforehand, no stream, no ledger, no look at what is there. Time lines in full calls of
 * `load`, as many at once as Odoo has workers, each on engagements of its own so that no two collide. Invoices in full
 * calls of `create` and `action_post`, one after the other: they share a journal. Reads events from a file.
 */
import { readFileSync } from "node:fs"
import { call, employeeOf, invoiceOf, load, rowOf } from "./odoo.mjs"

const isInvoices = process.env.JOB === "invoices"
const SIZE = Number(process.env.DIRECT_SIZE ?? (isInvoices ? 50 : 200))
const WORKERS = Number(process.env.WORKERS ?? 2)
const events = readFileSync(process.env.EVENTS, "utf8").trimEnd().split("\n")
  .map((line) => JSON.parse(line).data)

const parts = (all) => Array.from({ length: Math.ceil(all.length / SIZE) }, (_, n) => all.slice(n * SIZE, (n + 1) * SIZE))

if (isInvoices) {
  for (const part of parts(events)) {
    const ids = await call("account.move", "create", { vals_list: await Promise.all(part.map(invoiceOf)) })
    await call("account.move", "action_post", { ids })
  }
} else {
  const shares = Array.from({ length: WORKERS }, () => [])
  const shareOf = new Map()
  for (const data of events) {
    if (!shareOf.has(data.engagement)) shareOf.set(data.engagement, shareOf.size % WORKERS)
    shares[shareOf.get(data.engagement)].push(data)
  }
  await Promise.all(shares.map(async (share) => {
    for (const part of parts(share)) {
      const rows = []
      for (const data of part) rows.push(rowOf(data, await employeeOf(data.consultant)))
      await load(rows)
    }
  }))
}
