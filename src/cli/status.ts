/** `weir status`: where every entity and flow stands. */
import { Console, Effect, Schedule } from "effect"
import { Command, Flag } from "effect/cli"
import { Environment } from "../config/Secret.ts"
import { interruption } from "./Failure.ts"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { jsonFlag } from "./root.ts"
import { operation } from "./show.ts"
import { render, renderOwners } from "./statusReport.ts"
import { paintFor } from "./table.ts"

const WATCH_EVERY = "1 second"
/** Clears the screen and goes to its top (ECMA-48 ED, CUP). */
const CLEAR = "\u001b[2J\u001b[H"

export const status = Command.make(
  "status",
  {
    watch: Flag.Boolean("watch").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Show it again every second, until Ctrl-C"),
      Flag.withDefault(false),
    ),
    owners: Flag.Boolean("owners").pipe(
      Flag.withDescription("Which process owns which legal entity, at which epoch, since when"),
      Flag.withDefault(false),
    ),
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, owners, watch }) {
    const terminal = process.stdout.isTTY === true
    const paint = paintFor(terminal, (yield* Environment)["NO_COLOR"])
    const show = Effect.gen(function* () {
      const report = yield* ask(({ api }) => api.status.show({ query: given({ entity }) }))
      const text = json ? JSON.stringify(report) : owners ? renderOwners(report, paint) : render(report, paint)
      yield* Console.log(watch && terminal && !json ? `${CLEAR}${text}` : text)
    })
    if (!watch) return yield* show
    interruption.exitCode = 0
    yield* Effect.repeat(show, Schedule.spaced(WATCH_EVERY))
  }),
).pipe(
  operation("status.show"),
  Command.withDescription("Show state, backlog, counters and exceptions per entity and flow"),
  Command.withExamples([
    { command: "weir status --watch", description: "on a screen" },
    { command: "weir status --owners", description: "who has what" },
    { command: "weir status --json", description: "for programs" },
  ]),
)
