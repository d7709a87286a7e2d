import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Audit } from "../../operate/Audit.ts"
import { Caller } from "../../operate/Caller.ts"
import { Incidents } from "../../operate/Incidents.ts"
import { Api } from "../Api.ts"

export const incidents = HttpApiBuilder.group(
  Api,
  "incidents",
  Effect.fnUntraced(function* (handlers) {
    const incidents = yield* Incidents
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => incidents.list(caller, query)),
    })
  }),
)

export const audit = HttpApiBuilder.group(
  Api,
  "audit",
  Effect.fnUntraced(function* (handlers) {
    const audit = yield* Audit
    return handlers.handleAll({
      list: ({ params: { entity }, query }) => Caller.use((caller) => audit.list(caller, entity, query)),
      verify: ({ params: { entity }, query }) => Caller.use((caller) => audit.verify(caller, entity, query)),
    })
  }),
)
