/** What models' fields are, asked of Odoo once per look: their types and the models that they refer to. */
import { Effect } from "effect"
import type { CompanyCalls } from "./CompanyCalls.ts"
import type { OdooError } from "./Odoo.ts"

export interface FieldType {
  /** `char`, `many2one`, `monetary` … */
  readonly type: string
  /** Of a relation: the model on the other side. */
  readonly relation?: string
}

/** Fields of a model by name; a name that the model does not have is not in it. */
export type FieldsOf = (model: string) => Effect.Effect<ReadonlyMap<string, FieldType>, OdooError>

export const fieldsOf = (calls: CompanyCalls): FieldsOf => {
  const known = new Map<string, ReadonlyMap<string, FieldType>>()
  return Effect.fnUntraced(function* (model) {
    const before = known.get(model)
    if (before !== undefined) return before
    const answer = yield* calls.call(model, "fields_get", { args: { attributes: ["type", "relation"] } })
    const fields = new Map(Object.entries(answer as unknown as { readonly [field: string]: FieldType }))
    known.set(model, fields)
    return fields
  })
}
