/** `weir period`: what finance decides about months that are locked in Odoo. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { Month, type PeriodApproval } from "../operate/Periods.ts"
import { ask } from "./door.ts"
import { entityArgument } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

const said = ({ entity, latePolicy, month, released }: PeriodApproval): string => {
  const done =
    `Late documents of ${month} may be booked for ${entity} on the first open day. ${released} waited and go on now.`
  return latePolicy === "approval"
    ? done
    : `${done}\nThe policy of ${entity} is "${latePolicy}": approvals change nothing there.`
}

const approve = Command.make(
  "approve",
  {
    entity: entityArgument,
    month: Argument.String("month").pipe(
      Argument.withSchema(Month),
      Argument.withDescription("Month of the documents' own dates, for example 2026-10"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, month }) {
    const request = { params: { entity, month }, headers: {}, payload: {} }
    yield* show(json, yield* ask(({ api }) => api.periods.approve(request)), said)
  }),
).pipe(
  operation("period.approve"),
  Command.withDescription(
    "Let documents of a month that is locked in Odoo be booked on the first open day. For entities whose latePolicy is " +
      "approval; holds for the future too. Asking twice changes nothing",
  ),
  Command.withExamples([{ command: "weir period approve be01 2026-10", description: "October's late documents" }]),
)

export const period = Command.make("period").pipe(
  Command.withDescription("Months that are locked in Odoo: approve late documents"),
  Command.withSubcommands([approve]),
)
