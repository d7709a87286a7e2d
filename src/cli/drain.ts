/** `weir drain`: stops a legal entity in order. */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { byFlag, entityArgument, order, said } from "./control.ts"
import { jsonFlag } from "./root.ts"

export const drain = Command.make(
  "drain",
  { entity: entityArgument, by: byFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ by, entity, json }) {
    const answer = yield* order(entity, "drain", { actor: by })
    yield* Console.log(json ? JSON.stringify(answer) : said(answer))
  }),
).pipe(Command.withDescription(
  "Stop a legal entity in order: no more intake, everything in flight settled. Ends with resume or a restart",
))
