/** `weir resume`: takes up the work of a drained legal entity again. */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { byFlag, entityArgument, order, said } from "./control.ts"
import { jsonFlag } from "./root.ts"

export const resume = Command.make(
  "resume",
  { entity: entityArgument, by: byFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ by, entity, json }) {
    const answer = yield* order(entity, "resume", { actor: by })
    yield* Console.log(json ? JSON.stringify(answer) : said(answer))
  }),
).pipe(Command.withDescription("Take up the work of a drained legal entity again"))
