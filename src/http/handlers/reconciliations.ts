import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Reconciliations } from "../../operate/Reconciliations.ts"
import { Api } from "../Api.ts"

export const reconciliations = HttpApiBuilder.group(
  Api,
  "reconciliations",
  Effect.fnUntraced(function* (handlers) {
    const proofs = yield* Reconciliations
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => proofs.list(caller, query)),
      start: ({ payload }) => Caller.use((caller) => proofs.start(caller, payload)),
      show: ({ params: { run } }) => Caller.use((caller) => proofs.show(caller, run)),
      mismatches: ({ params: { run }, query }) => Caller.use((caller) => proofs.mismatches(caller, run, query)),
      report: ({ params: { run } }) => Caller.use((caller) => proofs.report(caller, run)),
      sign: ({ params: { run }, payload: { reason } }) => Caller.use((caller) => proofs.sign(caller, run, reason)),
      cancel: ({ params: { run } }) => Caller.use((caller) => proofs.cancel(caller, run)),
    })
  }),
)
