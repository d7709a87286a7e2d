/** `weir replays`: what was looked at again, and what is done about it. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { runStates } from "../ledger/Runs.ts"
import { findingClasses } from "../replay/Finding.ts"
import { ask, type Client } from "./door.ts"
import { given } from "./given.ts"
import type { OperationName } from "../operate/Operations.ts"
import { findingLines, listLines, replayLines } from "./replayReport.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, show } from "./show.ts"
import { upload } from "./upload.ts"

const runArgument = Argument.String("run").pipe(Argument.withDescription("Id of the replay"))
const entityFlag = Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional)

const list = Command.make(
  "list",
  {
    entity: entityFlag,
    state: Flag.Literals("state", runStates).pipe(Flag.withDescription("In this state only"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, ...query }) {
    yield* show(json, yield* ask(({ api }) => api.replays.list({ query: given(query) })), listLines)
  }),
).pipe(operation("replays.list"), Command.withDescription("List replays, newest first"))

const showOne = Command.make(
  "show",
  { run: runArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, run }) {
    yield* show(json, yield* ask(({ api }) => api.replays.show({ params: { run } })), replayLines)
  }),
).pipe(operation("replays.show"), Command.withDescription("Show how far a replay is, and what it found"))

const findings = Command.make(
  "findings",
  {
    run: runArgument,
    entity: entityFlag,
    class: Flag.Literals("class", findingClasses).pipe(Flag.withDescription("Of this class only"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, run, ...query }) {
    const page = yield* ask(({ api }) => api.replays.findings({ params: { run }, query: given(query) }))
    yield* show(json, page, findingLines)
  }),
).pipe(operation("replays.findings"), Command.withDescription("List what a replay found, event by event"))

/** A command that gives one order to a replay. */
const order = (
  name: Exclude<keyof Client["replays"], "list" | "start" | "show" | "findings" | "upload">,
  description: string,
) =>
  Command.make(
    name,
    { run: runArgument, json: jsonFlag },
    Effect.fnUntraced(function* ({ json, run }) {
      const request = { params: { run }, headers: {}, payload: {} }
      yield* show(json, yield* ask(({ api }) => api.replays[name](request)), replayLines)
    }),
  ).pipe(operation(`replays.${name}` as OperationName), Command.withDescription(description))

export const replays = Command.make("replays").pipe(
  Command.withDescription("Replays: what was looked at again, and what is done about it"),
  Command.withSubcommands([
    list,
    showOne,
    findings,
    upload,
    order("apply", "Bring again what a dry run found missing"),
    order(
      "release",
      "Let through a replay of a file, or one that changes what stands: by another person than asked for it",
    ),
    order("pause", "Let a replay stand still"),
    order("resume", "Let a paused replay go on"),
    order("cancel", "End a replay; what it has brought stands"),
  ]),
)
