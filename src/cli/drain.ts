/** `weir drain`: stops a legal entity in order. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { ask } from "./door.ts"
import { entityArgument, said } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

export const drain = Command.make(
  "drain",
  { entity: entityArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, json }) {
    const request = { params: { entity }, headers: {}, payload: {} }
    yield* show(json, yield* ask(({ api }) => api.entities.drain(request)), said)
  }),
).pipe(
  operation("entity.drain"),
  Command.withDescription(
    "Stop a legal entity in order: no more intake, everything in flight settled. Ends with resume or a restart",
  ),
)
