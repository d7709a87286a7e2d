/** `weir close`: a legal entity closes its books. */
import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { ControlAnswer } from "../http/Control.ts"
import { byFlag, entityArgument, order, untilFlag } from "./control.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { jsonFlag } from "./root.ts"

const said = ({ close, entity }: ControlAnswer): string => {
  if (close === null) return `${entity}: does not close its books now`
  const { actor, untilMillis } = close
  const until = untilMillis === null ? "as long as its calendar has it" : `until ${new Date(untilMillis).toISOString()}`
  return `${entity}: closes its books ${until} (by ${actor})`
}

export const close = Command.make(
  "close",
  {
    entity: entityArgument,
    until: untilFlag("Until when, with time zone: 2026-12-05T18:00:00+01:00"),
    end: Flag.Boolean("end").pipe(
      Flag.withDescription("It is over; from now on the calendar counts alone"),
      Flag.withDefault(false),
    ),
    reason: Flag.String("reason").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Why, for the audit trail"),
    ),
    by: byFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ by, end, entity, json, reason, until }) {
    if (end === Option.isSome(until)) {
      return yield* new CommandFailed({ exit: exitCodes.usage, message: "Say either --until or --end." })
    }
    const answer = yield* order(entity, "close", { reason, actor: by, until: Option.getOrNull(until) })
    yield* Console.log(json ? JSON.stringify(answer) : said(answer))
  }),
).pipe(
  Command.withDescription("A legal entity closes its books: its calls to Odoo get a larger share, backfills step back"),
  Command.withExamples([
    {
      command: `weir close be01 --until 2026-12-05T18:00:00+01:00 --reason "November close"`,
      description: "beside the days of its calendar in weir.json",
    },
    { command: `weir close be01 --end --reason "books are closed"`, description: "earlier than said" },
  ]),
)
