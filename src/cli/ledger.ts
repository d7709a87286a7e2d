/** `weir ledger`: an empty ledger is reconstructed from the stream and from what stands in Odoo. */
import { Duration, Effect } from "effect"
import { Argument, Command } from "effect/cli"
import type { RebuildView } from "../operate/Rebuilding.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { entityArgument, reasonFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

/** How often it is asked how far it is. */
const POLL = Duration.millis(500)

type Line = RebuildView["flows"][string] & { readonly flow: string }
const count = (title: string, cell: (line: Line) => number): Column<Line> => ({
  title,
  align: "right",
  cell: (line) => String(cell(line)),
})
const columns: ReadonlyArray<Column<Line>> = [
  { title: "FLOW", cell: ({ flow }) => flow },
  count("RECORDED", ({ recorded }) => recorded),
  count("SUPERSEDED", ({ superseded }) => superseded),
  count("LEFT", ({ left }) => left),
]

const lines = (view: RebuildView, paint: Paint): string => {
  const flows = Object.entries(view.flows).map(([flow, own]) => ({ flow, ...own }))
  return [
    `${view.runId}: ${view.entity} is ${view.state}, ${view.seen} messages read, asked for by ${view.requestedBy}`,
    ...(flows.length === 0 ? [] : [table(columns, flows, paint)]),
    ...(view.trouble === "" ? [] : [paint(view.trouble, "yellow")]),
  ].join("\n")
}

const rebuild = Command.make(
  "rebuild",
  { entity: entityArgument, reason: reasonFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, json, reason }) {
    const started = yield* ask(({ api }) =>
      api.ledger.rebuild({ params: { entity }, headers: {}, payload: { reason } })
    )
    const look = ask(({ api }) => api.ledger.rebuilt({ params: { entity, run: started.runId } }))
    let view = started
    while (view.state === "examining") {
      yield* Effect.sleep(POLL)
      view = yield* look
    }
    yield* show(json, view, lines)
    if (view.state !== "done") {
      return yield* new CommandFailed({ exit: exitCodes.failure, message: `${entity}: ${view.trouble}` })
    }
  }),
).pipe(
  operation("ledger.rebuild"),
  Command.withDescription(
    "Reconstruct an empty ledger from the stream and Odoo's external ids; writes nothing to Odoo",
  ),
  Command.withExamples([
    { command: `weir ledger rebuild be01 --reason "lost with its disk"`, description: "once be01 is drained" },
  ]),
)

const rebuilt = Command.make(
  "rebuilt",
  {
    entity: entityArgument,
    run: Argument.String("run").pipe(Argument.withDescription("Id of the rebuild")),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, run }) {
    yield* show(json, yield* ask(({ api }) => api.ledger.rebuilt({ params: { entity, run } })), lines)
  }),
).pipe(operation("ledger.rebuilt"), Command.withDescription("Show how far a rebuild is, and what it found"))

export const ledger = Command.make("ledger").pipe(
  Command.withDescription("Reconstruct a ledger that was lost"),
  Command.withSubcommands([rebuild, rebuilt]),
)
