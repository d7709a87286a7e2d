import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Reconfiguration } from "../../operate/Reconfiguration.ts"
import { Api } from "../Api.ts"

export const configuration = HttpApiBuilder.group(
  Api,
  "configuration",
  Effect.fnUntraced(function* (handlers) {
    const reconfiguration = yield* Reconfiguration
    return handlers.handleAll({
      show: () => Caller.use(reconfiguration.show),
      reload: () => Caller.use(reconfiguration.reload),
    })
  }),
)
