/** `weir incidents`: what went wrong with dependencies, when it was noticed, contained and over. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { postgresUrlOf } from "../config/Servers.ts"
import { Environment } from "../config/Secret.ts"
import type { Incident } from "../ledger/Governance.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { ledgerOf, unanswered } from "./ports.ts"
import { jsonFlag, loaded } from "./root.ts"
import { type Column, type Paint, paintFor, table } from "./table.ts"

/** Most incidents shown, the newest ones. */
const LIMIT = 100

const instant = (millis: number | null): string =>
  millis === null ? "-" : new Date(millis).toISOString().replace(/\.\d+Z$/u, "Z")

/** `3.2 s`, `4.5 min`, `2.0 h`: from one time to another. */
const span = (from: number, to: number | null): string => {
  if (to === null) return "-"
  const seconds = Math.max(0, to - from) / 1_000
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  return seconds < 7_200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3_600).toFixed(1)} h`
}

const columns: ReadonlyArray<Column<Incident>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "CAUSE", cell: ({ cause }) => cause },
  { title: "DETECTED", cell: ({ detectedAtMillis }) => instant(detectedAtMillis) },
  {
    title: "CONTAINED",
    align: "right",
    cell: ({ containedAtMillis, detectedAtMillis }) => span(detectedAtMillis, containedAtMillis),
  },
  {
    title: "RESTORED",
    align: "right",
    cell: ({ detectedAtMillis, restoredAtMillis }) => span(detectedAtMillis, restoredAtMillis),
    colour: ({ restoredAtMillis }) => restoredAtMillis === null ? "red" : undefined,
  },
  { title: "LAST", cell: ({ steps }) => (steps.at(-1)?.what ?? "").slice(0, 80) },
]

/** For people; durations count from the detection. */
export const renderIncidents = (incidents: ReadonlyArray<Incident>, paint: Paint): string =>
  incidents.length === 0 ? "No incidents." : table(columns, incidents, paint)

export const incidents = Command.make(
  "incidents",
  {
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    open: Flag.Boolean("open").pipe(Flag.withDescription("Only those that are not over"), Flag.withDefault(false)),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, json, open }) {
    const { configuration } = yield* loaded
    const found = yield* Effect.gen(function* () {
      const ledger = ledgerOf(yield* postgresUrlOf(configuration))
      return yield* Effect.flatMap(Ledger, (ledger) =>
        ledger.incidents({
          limit: LIMIT,
          ...(open ? { open: true } : {}),
          ...(Option.isSome(entity) ? { entity: entity.value } : {}),
        })).pipe(Effect.provide(ledger))
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "LedgerError" || error._tag === "SecretMissing"
          ? unanswered(error)
          : new CommandFailed({ exit: exitCodes.unreachable, message: error.message })
      ),
    )
    const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
    yield* Console.log(json ? JSON.stringify(found) : renderIncidents(found, paint))
  }),
).pipe(
  Command.withDescription("List incidents: detected, contained and restored, newest first"),
  Command.withExamples([{ command: "weir incidents --open", description: "what goes on now" }]),
)
