/** `weir status`: where every entity and flow stands. */
import { Console, Effect, Schedule } from "effect"
import { Command, Flag } from "effect/cli"
import { Environment } from "../config/Secret.ts"
import { interruption } from "./Failure.ts"
import { jsonFlag, loaded } from "./root.ts"
import { render, statusReport } from "./statusReport.ts"
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
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, watch }) {
    const { configuration } = yield* loaded
    const terminal = process.stdout.isTTY === true
    const paint = paintFor(terminal, (yield* Environment)["NO_COLOR"])
    const show = Effect.gen(function* () {
      const { live, report } = yield* statusReport(configuration)
      const text = json ? JSON.stringify({ live, ...report }) : render(report, live, paint)
      yield* Console.log(watch && terminal && !json ? `${CLEAR}${text}` : text)
    })
    if (!watch) return yield* show
    interruption.exitCode = 0
    yield* Effect.repeat(show, Schedule.spaced(WATCH_EVERY))
  }),
).pipe(
  Command.withDescription("Show state, backlog, counters and exceptions per entity and flow"),
  Command.withExamples([
    { command: "weir status --watch", description: "on a screen" },
    { command: "weir status --json", description: "for programs" },
  ]),
)
