import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Rebuilding } from "../../operate/Rebuilding.ts"
import { Api } from "../Api.ts"

export const ledger = HttpApiBuilder.group(
  Api,
  "ledger",
  Effect.fnUntraced(function* (handlers) {
    const rebuilding = yield* Rebuilding
    return handlers.handleAll({
      rebuild: ({ params: { entity }, payload }) => Caller.use((caller) => rebuilding.start(caller, entity, payload)),
      rebuilt: ({ params: { entity, run } }) => Caller.use((caller) => rebuilding.show(caller, entity, run)),
    })
  }),
)
