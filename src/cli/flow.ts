/** `weir flow`: one flow of a legal entity, paused and resumed. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { entityArgument, reasonFlag, said, untilFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

const flowArgument = Argument.String("flow").pipe(Argument.withDescription("Name of the flow, for example invoices"))

const pause = Command.make(
  "pause",
  { entity: entityArgument, flow: flowArgument, reason: reasonFlag, until: untilFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, flow, json, reason, until }) {
    const request = { params: { entity, flow }, headers: {}, payload: { reason, ...given({ until }) } }
    yield* show(json, yield* ask(({ api }) => api.entities.pause(request)), said)
  }),
).pipe(
  operation("flow.pause"),
  Command.withDescription("Let one flow take nothing in, whatever the mode, until it is resumed or the time is over"),
  Command.withExamples([
    { command: `weir flow pause be01 invoices --reason "wrong prices"`, description: "everything else goes on" },
  ]),
)

const resume = Command.make(
  "resume",
  { entity: entityArgument, flow: flowArgument, reason: reasonFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, flow, json, reason }) {
    const request = { params: { entity, flow }, headers: {}, payload: { reason } }
    yield* show(json, yield* ask(({ api }) => api.entities.unpause(request)), said)
  }),
).pipe(operation("flow.resume"), Command.withDescription("Let a paused flow go on"))

export const flow = Command.make("flow").pipe(
  Command.withDescription("Pause and resume one flow of a legal entity"),
  Command.withSubcommands([pause, resume]),
)
