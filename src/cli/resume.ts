/** `weir resume`: takes up the work of a drained legal entity again. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { ask } from "./door.ts"
import { entityArgument, said } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

export const resume = Command.make(
  "resume",
  { entity: entityArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, json }) {
    const request = { params: { entity }, headers: {}, payload: {} }
    yield* show(json, yield* ask(({ api }) => api.entities.resume(request)), said)
  }),
).pipe(
  operation("entity.resume"),
  Command.withDescription("Take up the work of a drained legal entity again"),
)
