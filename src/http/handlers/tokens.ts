import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Tokens } from "../../operate/Tokens.ts"
import { Api } from "../Api.ts"

export const tokens = HttpApiBuilder.group(
  Api,
  "tokens",
  Effect.fnUntraced(function* (handlers) {
    const tokens = yield* Tokens
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => tokens.list(caller, query)),
      create: ({ payload }) => Caller.use((caller) => tokens.create(caller, payload)),
      revoke: ({ params: { id } }) => Caller.use((caller) => tokens.revoke(caller, id)),
    })
  }),
)
