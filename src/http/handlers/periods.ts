import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Periods } from "../../operate/Periods.ts"
import { Api } from "../Api.ts"

export const periods = HttpApiBuilder.group(
  Api,
  "periods",
  Effect.fnUntraced(function* (handlers) {
    const periods = yield* Periods
    return handlers.handleAll({
      approve: ({ params: { entity, month } }) => Caller.use((caller) => periods.approve(caller, entity, month)),
    })
  }),
)
