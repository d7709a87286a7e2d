/**
 * Gives a record that another system has made the external id under which Weir looks for it. It changes no record; the
 * technical user may not do it, so it goes by a key of its own (`adoption` of the database).
 */
import { Context, Effect, Layer } from "effect"
import type { Lane } from "../flow/Lane.ts"
import { CallGate } from "./CallGate.ts"
import type { Company } from "./Company.ts"
import { Odoo, OdooError } from "./Odoo.ts"

/** The name under which the port has a database with the key for adoption. */
export const adopting = (database: string): string => `${database}#adoption`
/** The database of such a name; undefined: it is none. */
export const adoptedOf = (name: string): string | undefined =>
  name.endsWith("#adoption") ? name.slice(0, -"#adoption".length) : undefined

export class Adoption extends Context.Service<Adoption, {
  /** Refused (`ODOO-ACCESS`) when no key is configured, or its user has not the right to. */
  readonly name: (
    company: Company,
    record: { readonly model: string; readonly id: number; readonly externalId: string },
    lane: Lane,
  ) => Effect.Effect<void, OdooError>
}>()("weir/odoo/Adoption") {}

export const layer: Layer.Layer<Adoption, never, Odoo | CallGate> = Layer.effect(
  Adoption,
  Effect.gen(function* () {
    const [odoo, gate] = [yield* Odoo, yield* CallGate]
    return Adoption.of({
      name: ({ database, entity }, { externalId, id, model }, lane) => {
        const point = externalId.indexOf(".")
        const operation = "ir.model.data/create"
        return gate.run(
          database,
          { lane, entity, operation },
          odoo.call({
            database: adopting(database),
            model: "ir.model.data",
            method: "create",
            args: {
              vals_list: [{
                module: externalId.slice(0, point),
                name: externalId.slice(point + 1),
                model,
                res_id: id,
                noupdate: true,
              }],
            },
          }),
        ).pipe(Effect.asVoid)
      },
    })
  }),
)
