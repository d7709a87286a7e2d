/**
 * What Odoo commits, in its order. An upsert of an older version after a newer one sets a record back. Weir cannot take
 * back a call that it no longer waits for, so an abandoned or a stale owner's call may do that: it is counted. So is one
 * after a takeover: of what the owner before wrote and did not live to settle the ledger knows nothing; it comes again, in
 * its order, and the books have to be right in the end. Any other one is a violation.
 */
import type { StandIn } from "../../../fixtures/odoo/StandIn.ts"
import type { Json } from "../../../src/odoo/Odoo.ts"
import type { Process } from "../kernel/Kernel.ts"
import type { Observer } from "./Observer.ts"

const VERSION = /version (\d+)$/u

export class Commits {
  /** `<entity> <key>` of customers that a call which nobody waited for has set back. */
  readonly overtaken = new Set<string>()
  readonly #observer: Observer
  readonly #versions = new Map<string, number>()
  readonly #writers = new Map<string, Process>()

  constructor(standIn: StandIn, observer: Observer, trace: (line: string) => void) {
    this.#observer = observer
    const handle = standIn.handle.bind(standIn)
    standIn.handle = (request) => {
      const response = handle(request)
      const { body, method, model } = request
      if (method !== "read" && method !== "search_read") {
        const answer = response.status === 200 ? JSON.stringify(response.body).slice(0, 80) : response.status
        trace(`odoo ${model}/${method} ${answer}`)
      }
      if (response.status === 200 && model === "res.partner" && method === "load") this.#customers(body)
      return response
    }
  }

  #customers(body: { readonly [name: string]: Json }): void {
    const fields = Array.isArray(body["fields"]) ? body["fields"] as ReadonlyArray<Json> : []
    const data = Array.isArray(body["data"]) ? body["data"] as ReadonlyArray<ReadonlyArray<Json>> : []
    const name = fields.indexOf("name")
    const context = body["context"]
    const call = typeof context === "object" && context !== null ? this.#observer.callOf(context) : undefined
    for (const row of data) {
      const match = /^weir_([^.]+)\.customers_(.+)$/u.exec(String(row[0]))
      const version = Number(VERSION.exec(String(row[name]))?.[1] ?? 0)
      if (match === null || call === undefined) continue
      const key = `${match[1]} ${match[2]}`
      const before = this.#versions.get(key) ?? 0
      const writer = this.#writers.get(key)
      this.#versions.set(key, version)
      this.#writers.set(key, call.process)
      if (version >= before) {
        this.overtaken.delete(key)
        continue
      }
      if (writer !== call.process && this.#observer.owns(call.process, call.entity)) {
        this.#observer.cover("set back after a takeover")
        continue
      }
      const stale = !this.#observer.owns(call.process, call.entity)
      const detail = `${key}: version ${version} was written after ${before} by ${call.process.name}`
      if (!call.abandoned && call.process.state !== "dead" && !stale) this.#observer.report("newest version", detail)
      this.overtaken.add(key)
      this.#observer.cover(`set back by ${stale ? "a stale owner" : "an abandoned call"}`)
    }
  }
}
