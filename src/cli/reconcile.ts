/** `weir reconcile`: whether everything of a month arrived, and stands. */
import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { writeFile } from "node:fs/promises"
import { Period } from "../reconcile/Request.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { mismatchLines, proofLines, watch } from "./reconcileReport.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

/** Mismatches shown below the figures. */
const SHOWN = 50

export const reportFlag = Flag.String("report").pipe(
  Flag.withDescription("Write the report as a page for people into this file"),
  Flag.optional,
)

/** The report of a proof into a file. */
export const written = (run: string, file: string) =>
  Effect.flatMap(
    ask(({ api }) => api.reconciliations.report({ params: { run } })),
    (html) =>
      Effect.tryPromise({
        try: () => writeFile(file, html),
        catch: (cause) => new CommandFailed({ exit: exitCodes.failure, message: `${file}: ${String(cause)}` }),
      }),
  )

export const reconcile = Command.make(
  "reconcile",
  {
    period: Flag.String("period").pipe(
      Flag.withSchema(Period),
      Flag.withDescription("Month of the events' own days, for example 2026-10"),
    ),
    entity: Flag.String("entity").pipe(
      Flag.withDescription("Of this legal entity only. Default: all that you may see"),
      Flag.optional,
    ),
    flows: Flag.String("flow").pipe(
      Flag.withDescription("Of this flow only; may be given several times"),
      Flag.between(0, 50),
    ),
    reason: Flag.String("reason").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Why, for the audit trail and the report"),
      Flag.optional,
    ),
    report: reportFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, flows, json, period, reason, report }) {
    const [flow, ...more] = flows
    const payload = {
      period,
      ...(flow === undefined ? {} : { flows: [flow, ...more] as const }),
      ...given({ entity, reason }),
    }
    const { runId: run } = yield* ask(({ api }) => api.reconciliations.start({ headers: {}, payload }))
    const view = yield* watch(run)
    const found = yield* ask(({ api }) => api.reconciliations.mismatches({ params: { run }, query: { limit: SHOWN } }))
    if (Option.isSome(report)) yield* written(run, report.value)
    yield* show(
      json,
      { ...view, items: found.items, next: found.next },
      (answer, paint) => `${proofLines(answer, paint)}\n\n${mismatchLines(found, paint)}`,
    )
    const failed = view.parts.find(({ state }) => state !== "done")
    if (failed !== undefined) {
      const message = `${failed.entity} is ${failed.state}: ${failed.trouble || "nothing was proven"}`
      return yield* new CommandFailed({ exit: exitCodes.failure, message })
    }
    const mismatches = view.parts.reduce((sum, part) => sum + part.mismatches, 0)
    if (mismatches > 0) {
      const message = `${mismatches} mismatches: weir reconciliations mismatches ${run}`
      return yield* new CommandFailed({ exit: exitCodes.checkFailed, message })
    }
  }),
).pipe(
  operation("reconciliations.start"),
  Command.withDescription(
    "Prove a month complete: stream, ledger and Odoo against each other. Writes nothing; exit code 3 when they differ",
  ),
  Command.withExamples([
    { command: "weir reconcile --entity be01 --period 2026-10", description: "one legal entity, October" },
    {
      command: `weir reconcile --period 2026-10 --report october.html --reason "October close"`,
      description: "all of them, with a page to file",
    },
  ]),
)
