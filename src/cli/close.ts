/** `weir close`: a legal entity closes its books. */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { OrderAnswer } from "../operate/Entities.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { entityArgument, momentFlag, reasonFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

const said = ({ close, entity }: OrderAnswer): string => {
  if (close === null) return `${entity}: does not close its books now`
  const { actor, untilMillis } = close
  const until = untilMillis === null ? "as long as its calendar has it" : `until ${new Date(untilMillis).toISOString()}`
  return `${entity}: closes its books ${until} (by ${actor})`
}

export const close = Command.make(
  "close",
  {
    entity: entityArgument,
    until: momentFlag("Until when, with time zone: 2026-12-05T18:00:00+01:00"),
    end: Flag.Boolean("end").pipe(
      Flag.withDescription("It is over; from now on the calendar counts alone"),
      Flag.withDefault(false),
    ),
    reason: reasonFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ end, entity, json, reason, until }) {
    if (end === Option.isSome(until)) {
      return yield* new CommandFailed({ exit: exitCodes.usage, message: "Say either --until or --end." })
    }
    const payload = { reason, until: Option.getOrNull(until) }
    yield* show(json, yield* ask(({ api }) => api.entities.close({ params: { entity }, headers: {}, payload })), said)
  }),
).pipe(
  operation("entity.close"),
  Command.withDescription("A legal entity closes its books: its calls to Odoo get a larger share, backfills step back"),
  Command.withExamples([
    {
      command: `weir close be01 --until 2026-12-05T18:00:00+01:00 --reason "November close"`,
      description: "beside the days of its calendar in weir.json",
    },
    { command: `weir close be01 --end --reason "books are closed"`, description: "earlier than said" },
  ]),
)
