/**
 * The `Odoo` port with a handful of records in memory: just enough of `load`, `read`, `search_read` and all-or-nothing
 * methods to see what the plan engine does, call by call.
 */
import { Effect, Layer } from "effect"
import { type Json, Odoo, type OdooCall, OdooError } from "../../src/odoo/Odoo.ts"
import type { ReasonCode } from "../../src/reason/Reason.ts"

export interface TinyRecord {
  readonly id: number
  readonly model: string
  readonly externalId: string
  [field: string]: Json
}

type Answer = Json | OdooError

export class TinyOdoo {
  readonly records = new Map<number, TinyRecord>()
  readonly calls: Array<OdooCall> = []
  /** Asked before each call; an answer replaces the call's own. */
  intercept: (call: OdooCall) => Answer | undefined = () => undefined
  /** Why a row cannot be loaded; `named: false` makes the call fail without naming rows. */
  badRow: (cells: ReadonlyMap<string, string>) => { readonly message: string; readonly named: boolean } | undefined =
    () => undefined
  /** New records get these fields. */
  defaults: Record<string, Json> = {}

  readonly layer: Layer.Layer<Odoo> = Layer.succeed(
    Odoo,
    Odoo.of({
      version: () => Effect.succeed("19.0"),
      call: (call) =>
        Effect.suspend(() => {
          this.calls.push(call)
          const answer = this.intercept(call) ?? this.#answer(call)
          return answer instanceof OdooError ? Effect.fail(answer) : Effect.succeed(answer)
        }),
    }),
  )

  error(call: OdooCall, code: ReasonCode, message: string): OdooError {
    return new OdooError({ code, operation: `${call.model}/${call.method}`, message })
  }

  add(model: string, externalId: string, fields: Record<string, Json>): TinyRecord {
    const record: TinyRecord = { ...this.defaults, ...fields, id: this.records.size + 1, model, externalId }
    this.records.set(record.id, record)
    return record
  }

  find(externalId: string): TinyRecord | undefined {
    return [...this.records.values()].find((record) => record.externalId === externalId)
  }

  get methods(): ReadonlyArray<string> {
    return this.calls.map(({ ids, method }) => ids === undefined ? method : `${method}(${ids.length})`)
  }

  #answer(call: OdooCall): Answer {
    const args = call.args ?? {}
    switch (call.method) {
      case "load":
        return this.#load(
          call,
          args["fields"] as ReadonlyArray<string>,
          args["data"] as ReadonlyArray<ReadonlyArray<string>>,
        )
      case "read":
        // Backwards: Odoo promises no order.
        return [...call.ids!].reverse().flatMap((id) => this.records.get(id) ?? [])
      case "search_read":
        return this.#search(call, args["domain"] as ReadonlyArray<readonly [string, string, Json]>)
      case "write":
        return this.#write(call, args["vals"] as Record<string, Json>)
      case "get_external_id":
        return Object.fromEntries(call.ids!.map((id) => [String(id), this.records.get(id)?.externalId ?? ""]))
      case "unlink":
        for (const id of call.ids!) {
          if (!this.records.delete(id)) return this.error(call, "ODOO-RECORD-MISSING", `${id} does not exist`)
        }
        return true
      default:
        return this.#move(call)
    }
  }

  #load(call: OdooCall, fields: ReadonlyArray<string>, data: ReadonlyArray<ReadonlyArray<string>>): Answer {
    const rows = data.map((cells) => new Map(fields.map((field, n) => [field, cells[n]!])))
    const bad = rows.flatMap((cells, row) => {
      const flaw = this.badRow(cells)
      return flaw === undefined ? [] : [{ row, ...flaw }]
    })
    if (bad.length > 0) {
      const failures = bad.filter(({ named }) => named)
        .map(({ message, row }) => ({ row, code: "ODOO-VALIDATION" as const, message }))
      return new OdooError({
        code: "ODOO-VALIDATION",
        operation: `${call.model}/load`,
        message: bad[0]!.message,
        ...(failures[0] !== undefined && { row: failures[0].row, failures }),
      })
    }
    const skip = call.context?.["mode"] === "update" && call.context?.["noupdate"] === true
    const ids: Array<number> = []
    for (const cells of rows) {
      const externalId = cells.get("id")!
      if (externalId === "") continue
      const values = Object.fromEntries(cells)
      const known = this.find(externalId)
      if (known !== undefined && !skip) Object.assign(known, values, { id: known.id })
      ids.push((known ?? this.add(call.model, externalId, values)).id)
    }
    return { ids, messages: [], nextrow: 0 }
  }

  #search(call: OdooCall, domain: ReadonlyArray<readonly [string, string, Json]>): Answer {
    const matches = (record: TinyRecord) =>
      domain.every(([field, operator, value]) => {
        const own = Array.isArray(record[field]) ? (record[field] as ReadonlyArray<Json>)[0]! : record[field]!
        return operator === "in" ? (value as ReadonlyArray<Json>).includes(own) : own === value
      })
    const found = [...this.records.values()].filter((record) => record.model === call.model && matches(record))
    const limit = call.args?.["limit"]
    return (typeof limit === "number" ? found.slice(0, limit) : found).reverse()
  }

  /** Nobody is changed when one of them is stuck. */
  #write(call: OdooCall, values: Record<string, Json>): Answer {
    const records = call.ids!.map((id) => this.records.get(id))
    const stuck = records.find((record) => record?.["stuck"] === true)
    if (stuck !== undefined) return this.error(call, "ODOO-VALIDATION", `${stuck["id"]} cannot be changed`)
    for (const record of records) Object.assign(record!, values)
    return true
  }

  /** `action_<state>`: all drafts among the ids become `<state>`, or nobody does. */
  #move(call: OdooCall): Answer {
    const records = call.ids!.map((id) => this.records.get(id))
    const wrong = records.find((record) =>
      record === undefined || record["state"] !== "draft" || record["stuck"] === true
    )
    if (wrong !== undefined) return this.error(call, "ODOO-VALIDATION", `The entry ${wrong["id"]} must be in draft.`)
    for (const record of records) record!["state"] = call.method.replace("action_", "")
    return false
  }
}
