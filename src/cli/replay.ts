/** `weir replay`: events are looked at again; what is missing is brought again when that is asked for. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { ReplayView } from "../operate/replays/views.ts"
import { OnChanged, SubjectPattern } from "../replay/Request.ts"
import { ask } from "./door.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { reasonFlag } from "./orders.ts"
import { findingLines, replayLines, watch } from "./replayReport.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"
import { uploaded } from "./upload.ts"

/** Findings shown below the totals. */
const SHOWN = 50

const Instant = Schema.String.check(Schema.isPattern(/^\d{4}-\d{2}-\d{2}T.+(?:Z|[+-]\d{2}:\d{2})$/u)).pipe(
  Schema.decodeTo(Schema.DateTimeUtcFromString),
)
const instantFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withSchema(Instant), Flag.withDescription(description), Flag.optional)
const textFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)
const intFlag = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

export const replay = Command.make(
  "replay",
  {
    subject: Argument.String("subject").pipe(
      Argument.withSchema(SubjectPattern),
      Argument.withDescription("Subject of the events, with * and >: erp.be01.invoice.>"),
    ),
    from: instantFlag("from", "Stored at this time or later, with time zone: 2026-10-01T00:00:00+02:00"),
    to: instantFlag("to", "Stored before this time"),
    fromSequence: intFlag("from-sequence", "From this position in the stream on"),
    toSequence: intFlag("to-sequence", "Up to this position in the stream"),
    entity: textFlag("entity", "Of this legal entity only"),
    flows: Flag.String("flow").pipe(
      Flag.withDescription("Of this flow only; may be given several times"),
      Flag.between(0, 50),
    ),
    key: textFlag("key", "Of this business key only"),
    correlationId: textFlag("correlation", "Of this correlation id only"),
    file: textFlag("file", "Events from a file, one a line, or - for standard input, in place of the stream"),
    onChanged: Flag.Literals("on-changed", OnChanged.literals).pipe(
      Flag.withDescription("What applying does about records that stand with other values"),
      Flag.withDefault("skip"),
    ),
    rate: Flag.Finite("rate").pipe(
      Flag.withDescription("Events a second while it is applied; 0: no limit. Default 20"),
      Flag.optional,
    ),
    concurrency: intFlag("concurrency", "Events in flight while it is applied. Default 25"),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Keep and show what is there, too; otherwise it is counted"),
      Flag.withDefault(false),
    ),
    alike: Flag.Boolean("alike").pipe(
      Flag.withDescription("Look for what another system has made of the same things; it cannot be applied"),
      Flag.withDefault(false),
    ),
    apply: Flag.Boolean("apply").pipe(
      Flag.withDescription("Bring again what is missing. Left out: nothing is written"),
      Flag.withDefault(false),
    ),
    reason: reasonFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ alike, all, apply, file, flows, json, rate, reason, onChanged, subject, ...rest }) {
    const [flow, ...more] = flows
    const payload = {
      subject,
      reason,
      onChanged,
      keepAll: all,
      ...(alike && { alike }),
      source: Option.isSome(file) ? "upload" as const : "stream" as const,
      ...(flow === undefined ? {} : { flows: [flow, ...more] as const }),
      ...given({ ratePerSecond: rate, ...rest }),
    }
    const started = yield* ask(({ api }) => api.replays.start({ headers: {}, payload }))
    const { runId: run } = started
    if (Option.isSome(file)) {
      yield* ask(({ api }) => uploaded(api, run, file.value, Option.getOrNull(rest.entity)))
    }
    let view: ReplayView = yield* watch(run, ["gathering", "examining"])
    if (apply && view.parts.every(({ state }) => state === "examined")) {
      view = yield* ask(({ api }) => api.replays.apply({ params: { run }, headers: {}, payload: {} }))
      view = yield* watch(run, ["applying"])
    }
    const found = yield* ask(({ api }) => api.replays.findings({ params: { run }, query: { limit: SHOWN } }))
    yield* show(
      json,
      { ...view, items: found.items, next: found.next },
      (answer, paint) => `${replayLines(answer, paint)}\n\n${findingLines(found, paint)}`,
    )
    const failed = view.parts.find(({ state }) => state === "failed")
    if (failed !== undefined) {
      return yield* new CommandFailed({ exit: exitCodes.failure, message: `${failed.entity}: ${failed.trouble}` })
    }
    if (!apply && !alike && !json) {
      yield* Console.log(`\nNothing was written. To bring it again: weir replays apply ${run}`)
    }
  }),
).pipe(
  operation("replays.start"),
  Command.withDescription(
    "Look at events again: what stands of them in Odoo, what is missing, what differs. Writes nothing unless --apply",
  ),
  Command.withExamples([
    { command: `weir replay "erp.be01.invoice.>" --reason "audit"`, description: "what stands of all invoices" },
    {
      command: `weir replay "erp.be01.>" --key INV-00123 --apply --reason "deleted by mistake"`,
      description: "brings one again",
    },
  ]),
)
