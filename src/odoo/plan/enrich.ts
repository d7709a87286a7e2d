/** The enrich step: a question to a dependency beside Odoo, one per event that has one, a few at once. */
import { Effect } from "effect"
import type { Enrich, Refusal } from "../../flow/Step.ts"
import type { Json } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"

/** Most questions at once of one batch. */
const QUESTIONS = 4

export type Ask = (dependency: string, question: Json) => Effect.Effect<Json, Refusal>

/** Of a plan for which no dependency is at hand. */
export const nobody: Ask = (dependency) =>
  Effect.fail({ code: "MAPPING-MISSING", detail: `the event needs ${dependency}, and there is nobody to ask` })

const isRefusal = (accepted: { readonly [field: string]: unknown } | Refusal): accepted is Refusal =>
  typeof accepted["code"] === "string" && typeof accepted["detail"] === "string"

export const runEnrich = (step: Enrich<unknown>, batch: Batch, ask: Ask): Effect.Effect<void> =>
  Effect.forEach(batch.alive, (index) => {
    const write = batch.writes[index]!
    const question = step.question(write)
    if (question === null) return Effect.void
    return ask(step.dependency, question).pipe(
      Effect.match({
        onFailure: (refusal) => batch.refuse(index, refusal),
        onSuccess: (answer) => {
          const accepted = step.accept(answer, write)
          if (isRefusal(accepted)) batch.refuse(index, accepted)
          else write.read[step.name] = accepted
        },
      }),
    )
  }, { concurrency: QUESTIONS, discard: true })
