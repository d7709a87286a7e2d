/** Which business records a writing call to Odoo touches, told from its external ids and from nothing of Weir's. */
import type { StandIn } from "../../../fixtures/odoo/StandIn.ts"
import type { Json, OdooCall } from "../../../src/odoo/Odoo.ts"
import { parent } from "../../../streams/keys.ts"
import type { Knowledge } from "./Knowledge.ts"

const writing = new Set(["load", "action_post", "action_confirm", "reconcile"])

const idsIn = (value: Json | undefined): ReadonlyArray<number> =>
  Array.isArray(value) ? value.filter((id): id is number => typeof id === "number") : []

export class Touched {
  readonly #standIn: StandIn
  readonly #knowledge: Knowledge

  constructor(standIn: StandIn, knowledge: Knowledge) {
    this.#standIn = standIn
    this.#knowledge = knowledge
  }

  /** The parents and keys of the events that the call is about, each once; and the journals it numbers in. */
  by(entity: string, call: OdooCall): ReadonlyArray<string> {
    if (!writing.has(call.method)) return []
    const names = new Set<string>()
    for (const externalId of this.#externalIds(call)) {
      const match = /^weir_([^.]+)\.([a-z]+)_([^.]+)/u.exec(externalId)
      if (match === null) continue
      const [, , flow = "", key = ""] = match
      // Matching touches the invoices themselves, not what they were made from.
      if (call.method === "reconcile" && flow === "invoices") {
        names.add(parent.invoice(key))
        continue
      }
      names.add(`${flow} ${key}`)
      for (const name of this.#knowledge.factOf(entity, flow, key)?.parents ?? []) names.add(name)
    }
    if (call.method === "action_post") {
      for (const id of call.ids ?? []) {
        const journal = this.#standIn.store.tables.get(call.model)?.rows.get(id)?.["journal_id"]
        if (journal !== undefined) names.add(`journal ${String(journal)}`)
      }
    }
    return [...names]
  }

  #externalIds(call: OdooCall): ReadonlyArray<string> {
    if (call.method === "load") {
      const data = call.args?.["data"]
      const rows = Array.isArray(data) ? data as ReadonlyArray<ReadonlyArray<Json>> : []
      return rows.map((row) => String(row[0] ?? "")).filter((id) => id !== "")
    }
    const ids = call.method === "reconcile" ? this.#documentsOf(idsIn(call.ids)) : call.ids ?? []
    const models = call.method === "reconcile" ? ["account.move", "account.payment"] : [call.model]
    return models.flatMap((model) =>
      [...this.#standIn.store.externalIds.get(model) ?? []].flatMap(([externalId, id]) => {
        if (model !== "account.payment" || call.method !== "reconcile") return ids.includes(id) ? [externalId] : []
        const move = this.#standIn.store.tables.get(model)?.rows.get(id)?.["move_id"]
        return ids.includes(Number(move)) ? [externalId] : []
      })
    )
  }

  /** The journal entries of items. */
  #documentsOf(lines: ReadonlyArray<number>): ReadonlyArray<number> {
    return lines.map((id) =>
      Number(this.#standIn.store.tables.get("account.move.line")?.rows.get(id)?.["move_id"] ?? 0)
    )
  }
}
