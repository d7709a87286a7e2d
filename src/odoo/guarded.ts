/**
 * No call to an Odoo before its mark was looked at (`marks.ts`): an Odoo that was away at the start, or that the
 * configuration names only later, is looked at when it is called first. One that is marked otherwise answers like one that
 * refuses the key: its legal entities hold, say why, and go on by themselves once that is mended.
 */
import { Effect } from "effect"
import type { Database, EnvironmentName } from "../config/Configuration.ts"
import { marksOf, odooProblem } from "./marks.ts"
import { Odoo, OdooError } from "./Odoo.ts"

export interface GuardOptions {
  readonly environment: EnvironmentName | undefined
  /** As the configuration in force has it; another object is another Odoo. */
  readonly database: (name: string) => Database | undefined
}

/** Fails when `name` is marked otherwise, or cannot be asked. */
const inspect = (odoo: Odoo["Service"], name: string, environment: EnvironmentName | undefined) =>
  marksOf(odoo, name).pipe(
    Effect.catchIf(
      // Who may not even read tags is told nothing; whoever says what this is for wants to know.
      (error) => environment === undefined && error._tag === "OdooError" && error.code === "ODOO-ACCESS",
      () => Effect.succeed([]),
    ),
    Effect.catchTag(
      "SchemaError",
      ({ message }) =>
        Effect.fail(
          new OdooError({ code: "ODOO-UNKNOWN-ANSWER", operation: "res.partner.category/search_read", message }),
        ),
    ),
    Effect.flatMap((marks) => {
      const message = odooProblem(name, environment, marks)
      return message === null
        ? Effect.void
        : Effect.fail(new OdooError({ code: "ODOO-AUTH", operation: `mark of ${name}`, message }))
    }),
  )

export const guarded = (odoo: Odoo["Service"], { database, environment }: GuardOptions): Odoo["Service"] => {
  const passed = new WeakSet<Database>()
  return Odoo.of({
    version: odoo.version,
    call: (call) =>
      Effect.suspend(() => {
        const target = database(call.database)
        if (target === undefined || passed.has(target)) return odoo.call(call)
        return Effect.andThen(
          Effect.tap(inspect(odoo, call.database, environment), () => Effect.sync(() => passed.add(target))),
          odoo.call(call),
        )
      }),
  })
}
