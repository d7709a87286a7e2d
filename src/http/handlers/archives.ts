import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Archiving } from "../../operate/Archiving.ts"
import { Caller } from "../../operate/Caller.ts"
import { Api } from "../Api.ts"

export const archives = HttpApiBuilder.group(
  Api,
  "archives",
  Effect.fnUntraced(function* (handlers) {
    const archiving = yield* Archiving
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => archiving.list(caller, query)),
      start: ({ params: { entity }, payload }) => Caller.use((caller) => archiving.start(caller, entity, payload)),
      show: ({ params: { entity, run } }) => Caller.use((caller) => archiving.show(caller, entity, run)),
      verify: ({ params: { entity } }) => Caller.use((caller) => archiving.verify(caller, entity)),
    })
  }),
)
