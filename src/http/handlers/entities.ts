import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Entities } from "../../operate/Entities.ts"
import { Api } from "../Api.ts"

export const entities = HttpApiBuilder.group(
  Api,
  "entities",
  Effect.fnUntraced(function* (handlers) {
    const entities = yield* Entities
    return handlers.handleAll({
      mode: ({ params: { entity }, payload }) => Caller.use((caller) => entities.mode(caller, entity, payload)),
      close: ({ params: { entity }, payload }) => Caller.use((caller) => entities.close(caller, entity, payload)),
      drain: ({ params: { entity } }) => Caller.use((caller) => entities.drain(caller, entity)),
      resume: ({ params: { entity } }) => Caller.use((caller) => entities.resume(caller, entity)),
      pause: ({ params: { entity, flow }, payload }) =>
        Caller.use((caller) => entities.pause(caller, entity, flow, payload)),
      unpause: ({ params: { entity, flow }, payload }) =>
        Caller.use((caller) => entities.unpause(caller, entity, flow, payload)),
    })
  }),
)
