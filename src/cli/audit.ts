/** `weir audit`: who changed what, when and why; and whether the trail is what was written. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { AuditRecord } from "../ledger/Governance.ts"
import type { Verification } from "../operate/Audit.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, pageLines, show } from "./show.ts"
import { type Column, table } from "./table.ts"

const columns: ReadonlyArray<Column<AuditRecord>> = [
  { title: "NO", align: "right", cell: ({ sequence }) => String(sequence) },
  { title: "AT", cell: ({ atMillis }) => new Date(atMillis).toISOString() },
  { title: "WHO", cell: ({ actor }) => actor },
  { title: "WHAT", cell: ({ action }) => action },
  { title: "DETAIL", cell: ({ detail }) => detail },
  { title: "HASH", cell: ({ hash }) => hash.slice(0, 12) },
]

const trailArgument = Argument.String("entity").pipe(
  Argument.withDescription("Code of the legal entity; _weir: what concerns the whole installation"),
)

const list = Command.make(
  "list",
  {
    entity: trailArgument,
    order: Flag.Literals("order", ["newest", "oldest"]).pipe(
      Flag.withDescription("Which come first"),
      Flag.withDefault("newest"),
    ),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ after, entity, json, limit, order }) {
    const query = { ...given({ after, limit }), order }
    const page = yield* ask(({ api }) => api.audit.list({ params: { entity }, query }))
    yield* show(
      json,
      page,
      (page, paint) =>
        pageLines(page, (records) => table(columns, records, paint), `Nothing was changed for ${entity}.`),
    )
  }),
).pipe(operation("audit.list"), Command.withDescription("Show who changed what, when and why, newest first"))

const verdict = ({ archived, broken, entity, lastHash, records }: Verification): string =>
  broken === null
    ? `${entity}: ${
      archived === undefined ? "" : `${archived} archived and `
    }${records} records, each as it was written.${
      lastHash === "" ? "" : ` The last hash, to be kept elsewhere: ${lastHash}`
    }`
    : `${entity}: record ${broken} is not what was written.`

const verify = Command.make(
  "verify",
  {
    entity: trailArgument,
    archive: Flag.Boolean("archive").pipe(
      Flag.withDescription("From the first record in an archive on, not only those in the ledger"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ archive, entity, json }) {
    const query = archive ? { archives: "true" } as const : {}
    const found = yield* ask(({ api }) => api.audit.verify({ params: { entity }, query }), archive ? null : undefined)
    yield* show(json, found, verdict)
    if (found.broken === null) return
    return yield* new CommandFailed({
      exit: exitCodes.checkFailed,
      message:
        `The audit trail of ${entity} is not what was written: record ${found.broken} does not fit. Compare with a backup.`,
    })
  }),
).pipe(
  operation("audit.verify"),
  Command.withDescription("Verify that the trail is what was written; ends with 3 when it is not"),
)

export const audit = Command.make("audit").pipe(
  Command.withDescription("Who changed what, when and why, and whether that is what was written"),
  Command.withSubcommands([list, verify]),
)
