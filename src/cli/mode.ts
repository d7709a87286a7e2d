/** `weir mode`: what a legal entity may do now. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { entityArgument, reasonFlag, said, untilFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

export const mode = Command.make(
  "mode",
  {
    entity: entityArgument,
    mode: Argument.Literals("mode", ["full", "essential", "drafts", "hold", "shadow", "auto"]).pipe(
      Argument.withDescription("auto lifts what a person decided: Weir decides again"),
    ),
    reason: reasonFlag,
    until: untilFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, mode, reason, until }) {
    const payload = { mode, reason, ...given({ until }) }
    yield* show(json, yield* ask(({ api }) => api.entities.mode({ params: { entity }, headers: {}, payload })), said)
  }),
).pipe(
  operation("entity.mode"),
  Command.withDescription(
    "Decide what a legal entity may do: full, essential, drafts, hold or shadow; auto: Weir decides",
  ),
  Command.withExamples([
    { command: `weir mode be01 hold --reason "Odoo upgrade"`, description: "nothing is written until mode auto" },
    { command: `weir mode be01 auto --reason "upgrade done"`, description: "Weir decides again" },
  ]),
)
