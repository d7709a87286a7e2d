/** `weir period`: what finance decides about months that are locked in Odoo. */
import { Console, Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { userName } from "./user.ts"
import { postgresUrlOf } from "../config/Servers.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { PERIOD_FLOW } from "../odoo/plan/period.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { ledgerOf, unanswered } from "./ports.ts"
import { jsonFlag, loaded } from "./root.ts"

const Month = Schema.String.check(
  Schema.isPattern(/^\d{4}-(?:0[1-9]|1[0-2])$/u, { message: "must be a month, YYYY-MM" }),
)

const approve = Command.make(
  "approve",
  {
    entity: Argument.String("entity").pipe(Argument.withDescription("Code of the legal entity, for example be01")),
    month: Argument.String("month").pipe(
      Argument.withSchema(Month),
      Argument.withDescription("Month of the documents' own dates, for example 2026-10"),
    ),
    by: Flag.String("by").pipe(
      Flag.withDescription("Who approves; kept in the ledger. Default: this machine's user"),
      Flag.withDefault(userName()),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ by, entity, json, month }) {
    const { configuration } = yield* loaded
    const settings = configuration.entities[entity]
    if (settings === undefined) {
      return yield* new CommandFailed({
        exit: exitCodes.usage,
        message: `No legal entity ${entity} is configured. There are: ${
          Object.keys(configuration.entities).join(", ") || "none"
        }.`,
      })
    }
    const released = yield* Effect.gen(function* () {
      const ledger = ledgerOf(yield* postgresUrlOf(configuration))
      return yield* Ledger.use((ledger) => ledger.approve(entity, { flow: PERIOD_FLOW, key: month }, by)).pipe(
        Effect.provide(ledger),
      )
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "ServersError"
          ? new CommandFailed({ exit: exitCodes.unreachable, message: error.message })
          : unanswered(error)
      ),
    )
    if (json) return yield* Console.log(JSON.stringify({ entity, month, by, released }))
    yield* Console.log(
      `Late documents of ${month} may be booked for ${entity} on the first open day. ${released} waited and go on now.`,
    )
    if (settings.latePolicy !== "approval") {
      yield* Console.log(`The policy of ${entity} is "${settings.latePolicy}": approvals change nothing there.`)
    }
  }),
).pipe(
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
