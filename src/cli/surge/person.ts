/** A person who works in Odoo meanwhile: nobody may have to wait because of a surge. */
import { Clock, Effect } from "effect"
import type { Scenario } from "../../../fixtures/scenario.ts"
import type { Target } from "./Target.ts"

/** A call without an answer by then is not measured: Odoo is away, and that shows elsewhere. */
const TIMEOUT = "30 seconds"

/** Opens a list of invoices in the first entity; milliseconds that it takes, null when Odoo does not answer. */
export const personCalls = ({ configuration }: Scenario, { odoo }: Target): Effect.Effect<number | null> => {
  const [first] = Object.values(configuration.entities)
  const company = first?.company ?? 1
  return Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    yield* odoo.call({
      database: first?.database ?? "main",
      model: "account.move",
      method: "search_read",
      args: {
        domain: [["company_id", "=", company], ["move_type", "=", "out_invoice"]],
        fields: ["name", "state", "amount_total", "payment_state"],
        order: "id desc",
        limit: 40,
      },
      context: { allowed_company_ids: [company] },
    })
    return (yield* Clock.currentTimeMillis) - begun
  }).pipe(Effect.timeout(TIMEOUT), Effect.orElseSucceed(() => null))
}

/** Opens one list after the other and looks at each for `pauseMillis`; `times` of them, or until it is interrupted. */
export const person = Effect.fnUntraced(function* (
  call: Effect.Effect<number | null>,
  pauseMillis: number,
  note: (millis: number) => void,
  times = Infinity,
) {
  for (let count = 0; count < times; count++) {
    const millis = yield* call
    if (millis !== null) note(millis)
    yield* Effect.sleep(pauseMillis)
  }
})
