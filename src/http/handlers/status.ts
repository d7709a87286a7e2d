import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Status } from "../../operate/Status.ts"
import { Api } from "../Api.ts"

export const status = HttpApiBuilder.group(
  Api,
  "status",
  Effect.fnUntraced(function* (handlers) {
    const status = yield* Status
    return handlers.handleAll({
      show: ({ query }) => Caller.use((caller) => status.show(caller, query)),
    })
  }),
)
