/**
 * Before anything is taken in: is this what the configuration is for? A configuration for production refuses a ledger or
 * an Odoo that is marked as something else, and every other one refuses what is marked as production.
 *
 *     environment   mark         at the start
 *     production    production   goes on                    any   none         goes on; the ledger is marked with it
 *     production    staging      refuses (exit code 2)      none  production   refuses
 *     staging       production   refuses                    none  staging      goes on
 */
import { Duration, Effect, Option, Runtime, Schema } from "effect"
import { CliError } from "effect/cli"
import { hostname } from "node:os"
import process from "node:process"
import { untilAvailable } from "../actor/patience.ts"
import { Access } from "../ledger/Access.ts"
import { ledgerProblem, marksOf, odooProblem } from "../odoo/marks.ts"
import { Odoo } from "../odoo/Odoo.ts"
import type { Settings } from "./Configuration.ts"

/** Longest wait for an Odoo at the start: one that is away is looked at when it is called first. */
const ODOO_WAIT = Duration.seconds(10)
const CONCURRENCY = 4

/** The configuration is for another environment than what it points at. Configuration: `message` says what to do. */
export class EnvironmentMismatch extends Schema.TaggedError<EnvironmentMismatch>()("EnvironmentMismatch", {
  message: Schema.String,
}) {
  override get [Runtime.errorExitCode](): number {
    return 2
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Marks a ledger that has no mark yet. Needs the ledger migrated; waits for it, and not long for an Odoo. */
export const guard = Effect.fnUntraced(function* ({ databases, environment }: Settings) {
  const access = yield* Access
  const odoo = yield* Odoo
  const before = yield* access.environment.pipe(untilAvailable("environment"))
  const mark = before === null && environment !== undefined
    ? yield* access.mark(environment, `${hostname()}:${process.pid}`).pipe(untilAvailable("environment"))
    : before
  const problems = yield* Effect.forEach(
    Object.keys(databases),
    (name) =>
      marksOf(odoo, name).pipe(
        Effect.map((marks) => odooProblem(name, environment, marks)),
        Effect.timeoutOption(ODOO_WAIT),
        Effect.map(Option.getOrNull),
        Effect.tapError(({ message }) => Effect.logWarning(`the mark of Odoo ${name} is not known yet: ${message}`)),
        Effect.orElseSucceed(() => null),
      ),
    { concurrency: CONCURRENCY },
  )
  const all = [ledgerProblem(environment, mark), ...problems].filter((problem) => problem !== null)
  if (all.length > 0) return yield* new EnvironmentMismatch({ message: all.join("\n") })
})
