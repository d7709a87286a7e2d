/** `weir configuration`: what counts now, and on which runners; and having it read again. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { ConfigurationView, Reloaded } from "../operate/Reconfiguration.ts"
import { ask } from "./door.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

type Row = ConfigurationView["entities"][number]

const columns: ReadonlyArray<Column<Row>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "OWNER", cell: ({ owner }) => owner === "" ? "-" : owner },
  {
    title: "CONFIGURATION",
    cell: ({ configuration }) => configuration,
    colour: ({ configuration }) => configuration === "same" ? undefined : "yellow",
  },
  { title: "", cell: ({ trouble }) => trouble.split("\n", 1)[0]!.slice(0, 80), colour: () => "yellow" },
]

const standing = ({ entities, file, refused, restart, takenAt }: ConfigurationView, paint: Paint): string =>
  [
    `${file ?? "the environment"}, taken up ${takenAt}`,
    ...refused === null ? [] : [`refused ${refused.at}: ${refused.problems}`],
    ...restart.length === 0 ? [] : [`after a restart only: ${restart.join(", ")}`],
    ...entities.length === 0 ? [] : ["", table(columns, entities, paint)],
  ].join("\n")

const said = (answer: Reloaded, paint: Paint): string => {
  const changes = (["added", "removed", "changed", "databases"] as const)
    .filter((what) => answer[what].length > 0)
    .map((what) => `${what}: ${answer[what].join(", ")}`)
  return [changes.length === 0 ? "nothing changed here" : changes.join("; "), standing(answer, paint)].join("\n")
}

const shown = Command.make(
  "show",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    yield* show(json, yield* ask(({ api }) => api.configuration.show()), standing)
  }),
).pipe(
  operation("configuration.show"),
  Command.withDescription("Show which configuration counts, since when, and whether all runners go by the same"),
)

const reload = Command.make(
  "reload",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    yield* show(json, yield* ask(({ api }) => api.configuration.reload({ headers: {}, payload: {} })), said)
  }),
).pipe(
  operation("configuration.reload"),
  Command.withDescription(
    "Have every runner read its weir.json again. Legal entities and databases count at once, the rest after a restart; " +
      "a file that is wrong is refused and what was before goes on",
  ),
)

export const configuration = Command.make("configuration").pipe(
  Command.withDescription("The configuration in force: show it, read it again"),
  Command.withSubcommands([shown, reload]),
)
