/** `weir archive`: what has left the ledger, what would, and whether it is what was written. */
import { Duration, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { archiveKinds } from "../ledger/Archives.ts"
import type { ArchiveVerification, ArchiveView, ArchivingView } from "../operate/Archiving.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { entityArgument, reasonFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { instant, operation, pageFlags, pageLines, show } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

/** How often it is asked how far it is. */
const POLL = Duration.millis(500)

const columns: ReadonlyArray<Column<ArchiveView>> = [
  { title: "FILE", cell: ({ entity, kind, name }) => `${entity}/${kind}/${name}.ndjson` },
  { title: "ROWS", align: "right", cell: ({ rows }) => String(rows) },
  { title: "BYTES", align: "right", cell: ({ bytes }) => String(bytes) },
  { title: "FROM", cell: ({ fromMillis }) => instant(fromMillis) },
  { title: "TO", cell: ({ toMillis }) => instant(toMillis) },
  { title: "WRITTEN", cell: ({ writtenAtMillis }) => instant(writtenAtMillis) },
  {
    title: "IN THE LEDGER",
    cell: ({ droppedAtMillis }) => droppedAtMillis === null ? "partly" : "no",
    colour: ({ droppedAtMillis }) => droppedAtMillis === null ? "yellow" : undefined,
  },
  { title: "SHA-256", cell: ({ sha256 }) => sha256.slice(0, 12) },
]

const list = Command.make(
  "list",
  {
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    kind: Flag.Literals("kind", archiveKinds).pipe(Flag.withDescription("Of this kind only"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, ...query }) {
    const page = yield* ask(({ api }) => api.archives.list({ query: given(query) }))
    yield* show(
      json,
      page,
      (page, paint) => pageLines(page, (items) => table(columns, items, paint), "Nothing was archived."),
    )
  }),
).pipe(operation("archives.list"), Command.withDescription("List archives, newest first"))

type KindLine = ArchivingView["kinds"][string] & { readonly kind: string }
const count = (title: string, cell: (line: KindLine) => number): Column<KindLine> => ({
  title,
  align: "right",
  cell: (line) => String(cell(line)),
})
const counts: ReadonlyArray<Column<KindLine>> = [
  { title: "KIND", cell: ({ kind }) => kind },
  count("DUE", ({ due }) => due),
  count("UNPROVEN", ({ unproven }) => unproven),
  count("FILES", ({ files }) => files),
  count("WRITTEN", ({ written }) => written),
  count("LEFT THE LEDGER", ({ dropped }) => dropped),
]

const archivingLines = (view: ArchivingView, paint: Paint): string => {
  const kinds = Object.entries(view.kinds).map(([kind, own]) => ({ kind, ...own }))
  const [first] = view.unproven
  return [
    `${view.runId}: ${
      view.apply ? "archiving" : "dry run"
    } of ${view.entity} is ${view.state}, asked for by ${view.requestedBy}`,
    ...(kinds.length === 0 ? [] : [table(counts, kinds, paint)]),
    ...(first === undefined ? [] : [
      paint(
        `No proof says that these months are complete, their events stay: ${view.unproven.join(", ")}. ` +
          `weir reconcile --entity ${view.entity} --period ${first}`,
        "yellow",
      ),
    ]),
    ...(Object.keys(view.oldest).length === 0 ? [] : [
      `Oldest in the ledger: ${Object.entries(view.oldest).map(([kind, month]) => `${kind} ${month}`).join(", ")}`,
    ]),
    ...(view.trouble === "" ? [] : [paint(view.trouble, "yellow")]),
  ].join("\n")
}

const run = Command.make(
  "run",
  {
    entity: entityArgument,
    apply: Flag.Boolean("apply").pipe(
      Flag.withDescription("Write the files and let the rows leave. Default: only count what would"),
      Flag.withDefault(false),
    ),
    reason: reasonFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ apply, entity, json, reason }) {
    const started = yield* ask(({ api }) =>
      api.archives.start({ params: { entity }, headers: {}, payload: { apply, reason } })
    )
    const look = ask(({ api }) => api.archives.show({ params: { entity, run: started.runId } }))
    let view = started
    while (view.state === "examining") {
      yield* Effect.sleep(POLL)
      view = yield* look
    }
    yield* show(json, view, archivingLines)
    if (view.state !== "done") {
      return yield* new CommandFailed({ exit: exitCodes.failure, message: `${entity}: ${view.trouble}` })
    }
  }),
).pipe(
  operation("archives.start"),
  Command.withDescription("Count what may leave the ledger by its age; with --apply it leaves, into files"),
  Command.withExamples([
    { command: `weir archive run be01 --reason "before the upgrade"`, description: "what would leave" },
    { command: `weir archive run be01 --apply --reason "before the upgrade"`, description: "and now it does" },
  ]),
)

const shown = Command.make(
  "show",
  {
    entity: entityArgument,
    run: Argument.String("run").pipe(Argument.withDescription("Id of the archiving")),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, run }) {
    yield* show(json, yield* ask(({ api }) => api.archives.show({ params: { entity, run } })), archivingLines)
  }),
).pipe(operation("archives.show"), Command.withDescription("Show how far an archiving is, and what has left"))

const verdict = ({ damaged, entity, files, rows, trail }: ArchiveVerification, paint: Paint): string =>
  [
    `${entity}: ${files} files, ${rows} rows as they were written.`,
    ...damaged.map(({ kind, name, problem }) => paint(`${entity}/${kind}/${name}.ndjson: ${problem}`, "red")),
    trail.broken === null
      ? `Audit trail: ${trail.archived} records in archives, ${trail.live} in the ledger, each as it was written.`
      : paint(`Audit trail: record ${trail.broken} is missing, or not what was written.`, "red"),
  ].join("\n")

const verify = Command.make(
  "verify",
  { entity: entityArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, json }) {
    const found = yield* ask(({ api }) => api.archives.verify({ params: { entity } }), null)
    yield* show(json, found, verdict)
    if (found.damaged.length === 0 && found.trail.broken === null) return
    return yield* new CommandFailed({
      exit: exitCodes.checkFailed,
      message: `Archives of ${entity} are not what was written. Bring the files back from a copy.`,
    })
  }),
).pipe(
  operation("archives.verify"),
  Command.withDescription(
    "Read every archive of a legal entity again, and follow its audit trail; ends with 3 when something is not what was written",
  ),
)

export const archive = Command.make("archive").pipe(
  Command.withDescription("What has left the ledger into files, and what would"),
  Command.withSubcommands([list, run, shown, verify]),
)
