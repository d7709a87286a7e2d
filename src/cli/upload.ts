/** Events from a file into a replay, in the file's order, in as many parts as it takes. */
import { Effect, Result, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import process from "node:process"
import { catalog } from "../../streams/catalog.ts"
import { MAX_UPLOAD } from "../operate/replays/order.ts"
import { ask, type Client } from "./door.ts"
import { makeLineReader } from "./eventLine.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { fileLines, stdinLines } from "./publishing.ts"
import { replayLines } from "./replayReport.ts"
import { jsonFlag } from "./root.ts"
import { operation, show } from "./show.ts"

/** Ends with the dry run begun. */
export const uploaded = Effect.fnUntraced(function* (api: Client, run: string, file: string, entity: string | null) {
  const lines = file === "-" ? yield* stdinLines(process.stdin) : fileLines(file)
  const read = makeLineReader({ entity, entities: new Set(), flows: catalog, unchecked: true })
  let position = 1
  const send = (events: Parameters<Client["replays"]["upload"]>[0]["payload"]["events"], last: boolean) =>
    Effect.tap(
      api.replays.upload({ params: { run }, headers: {}, payload: { events, position, last } }),
      () => Effect.sync(() => position += events.length),
    )
  yield* lines.pipe(
    Stream.mapEffect(([line, text]) => {
      const made = read(text)
      return Result.isSuccess(made) ? Effect.succeed(made.success.publication) : Effect.fail(
        new CommandFailed({ exit: exitCodes.usage, message: `line ${line}: ${made.failure}` }),
      )
    }),
    Stream.map(({ data, headers, subject }) => ({ data, headers, subject })),
    Stream.grouped(MAX_UPLOAD),
    Stream.runForEach((events) => send(events, false)),
  )
  return yield* send([], true)
})

export const upload = Command.make(
  "upload",
  {
    run: Argument.String("run").pipe(Argument.withDescription("Id of a replay whose events are handed in")),
    file: Argument.String("file").pipe(Argument.withDescription("One event a line. - reads standard input")),
    entity: Flag.String("entity").pipe(
      Flag.withDescription("Legal entity of CloudEvents without the attribute entity"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, file, json, run }) {
    const owner = given({ entity }).entity ?? null
    yield* show(json, yield* ask(({ api }) => uploaded(api, run, file, owner)), replayLines)
  }),
).pipe(
  operation("replays.upload"),
  Command.withDescription(
    "Hand in the events of a replay from a file; its dry run begins. weir replay --file does both",
  ),
)
