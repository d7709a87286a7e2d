/** `weir audit`: who changed what, when and why; and whether the trail is what was written. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { postgresUrlOf } from "../config/Servers.ts"
import { Environment } from "../config/Secret.ts"
import { type AuditRecord, verifyAudit } from "../ledger/Governance.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { entityArgument } from "./control.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { ledgerOf, unanswered } from "./ports.ts"
import { jsonFlag, loaded } from "./root.ts"
import { type Column, paintFor, table } from "./table.ts"

/** Records read at a time; a chain is verified as a whole. */
const PAGE = 1_000

const columns: ReadonlyArray<Column<AuditRecord>> = [
  { title: "NO", align: "right", cell: ({ sequence }) => String(sequence) },
  { title: "AT", cell: ({ atMillis }) => new Date(atMillis).toISOString() },
  { title: "WHO", cell: ({ actor }) => actor },
  { title: "WHAT", cell: ({ action }) => action },
  { title: "DETAIL", cell: ({ detail }) => detail },
  { title: "HASH", cell: ({ hash }) => hash.slice(0, 12) },
]

/** The whole trail of an entity. */
export const trailOf = Effect.fnUntraced(function* (entity: string) {
  const ledger = yield* Ledger
  const records: Array<AuditRecord> = []
  while (true) {
    const page = yield* ledger.audit({ entity, after: records.at(-1)?.sequence ?? 0, limit: PAGE })
    records.push(...page)
    if (page.length < PAGE) return records
  }
})

export const audit = Command.make(
  "audit",
  {
    entity: entityArgument,
    last: Flag.Int("last").pipe(
      Flag.withDescription("So many of the newest records are shown; all are verified"),
      Flag.withDefault(20),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, last }) {
    const { configuration } = yield* loaded
    const records = yield* Effect.gen(function* () {
      const ledger = ledgerOf(yield* postgresUrlOf(configuration))
      return yield* trailOf(entity).pipe(Effect.provide(ledger))
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "ServersError"
          ? new CommandFailed({ exit: exitCodes.unreachable, message: error.message })
          : unanswered(error)
      ),
    )
    const broken = verifyAudit(records)
    const shown = records.slice(-Math.max(0, last))
    if (json) yield* Console.log(JSON.stringify({ entity, records: shown, total: records.length, broken }))
    else {
      const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
      yield* Console.log(records.length === 0 ? `Nothing was changed for ${entity}.` : table(columns, shown, paint))
    }
    if (broken === null) return
    return yield* new CommandFailed({
      exit: exitCodes.checkFailed,
      message:
        `The audit trail of ${entity} is not what was written: record ${broken} does not fit. Compare with a backup.`,
    })
  }),
).pipe(
  Command.withDescription("Show who changed what, when and why, and verify that the trail is what was written"),
)
