import { Context, Option, Schema } from "effect"
import { OpenApi } from "effect/http-api"
import { Operation, type OperationName, specOf } from "../operate/Operations.ts"

const roles = { read: "any role", operate: "operator or admin", approve: "approver", administer: "admin" } as const

/** Annotations that say which operation an endpoint is; what it does and takes goes into the published document. */
export const operation = (name: OperationName): Context.Context<never> => {
  const { changes, right, summary } = specOf(name)
  const published = OpenApi.annotations({
    identifier: name,
    summary,
    description: `Needs the right to ${right}: ${roles[right]}.${
      changes ? " Stands in the audit trail, carried out or refused." : ""
    }`,
  })
  return Context.add(published, Operation, name) as Context.Context<never>
}

/** The operation that an endpoint or a command is, by its annotations; null: none. */
export const operationOf = (annotations: Context.Context<never>): OperationName | null =>
  Option.getOrNull(Context.getOption(annotations as Context.Context<Operation>, Operation))

/** What every order may carry. The middleware reads it; declared so that the document and the client know it. */
export const orderHeaders = {
  "idempotency-key": Schema.optionalKey(
    Schema.String.annotate({
      description: "The same order under the same key is carried out once, and answered alike for a day",
    }),
  ),
}
