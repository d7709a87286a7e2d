/** `weir publish`: events from a file into the stream. */
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { EntityCode } from "../../schemas/ids.ts"
import { catalog } from "../../streams/catalog.ts"
import { Broker } from "../broker/Broker.ts"
import { natsUrlOf } from "../config/Servers.ts"
import { makeLineReader } from "./eventLine.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { brokerOf, unanswered } from "./ports.ts"
import { fileLines, send, stdinLines, type Survey, survey } from "./publishing.ts"
import { jsonFlag, loaded } from "./root.ts"

const problemsOf = ({ invalid, problems }: Survey): string =>
  [
    ...problems.map(({ line, problem }) => `line ${line}: ${problem}`),
    ...(invalid > problems.length ? [`… and ${invalid - problems.length} more`] : []),
  ].join("\n")

const counts = (byFlow: Survey["byFlow"]): string =>
  Object.entries(byFlow).map(([flow, count]) => `${flow} ${count}`).join(", ")

export const publish = Command.make(
  "publish",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("One event a line: a CloudEvent, or a fixture's line. - reads standard input"),
    ),
    entity: Flag.String("entity").pipe(
      Flag.withSchema(EntityCode),
      Flag.withDescription("Legal entity of CloudEvents without the attribute entity"),
      Flag.optional,
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Check and count, send nothing"),
      Flag.withDefault(false),
    ),
    skipInvalid: Flag.Boolean("skip-invalid").pipe(
      Flag.withDescription("Send the valid lines although others are invalid"),
      Flag.withDefault(false),
    ),
    unchecked: Flag.Boolean("unchecked").pipe(
      Flag.withDescription("Send what the service will refuse, too (fixtures with bad records)"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ dryRun, entity, file, json, skipInvalid, unchecked }) {
    const { configuration } = yield* loaded
    const lines = file === "-" ? yield* stdinLines(process.stdin) : fileLines(file)
    const read = makeLineReader({
      entity: Option.getOrNull(entity),
      entities: new Set(Object.keys(configuration.entities)),
      flows: catalog,
      unchecked,
    })
    const found = yield* survey(lines, read)
    if (found.invalid > 0) {
      yield* Console.error(problemsOf(found))
      if (!skipInvalid) {
        return yield* new CommandFailed({
          exit: exitCodes.failure,
          message: `${found.invalid} of ${found.valid + found.invalid} lines are invalid; nothing was published. ` +
            "Correct them, or use --skip-invalid.",
        })
      }
    }
    const sent = dryRun || found.valid === 0 ? { published: 0, duplicates: 0 } : yield* Effect.gen(function* () {
      const layer = brokerOf(configuration, yield* natsUrlOf(configuration))
      return yield* Effect.andThen(Broker.use((broker) => broker.provision), send(lines, read)).pipe(
        Effect.provide(layer),
        Effect.catchTags({
          BrokerError: (error) => Effect.fail(unanswered(error)),
          SecretMissing: (error) => Effect.fail(unanswered(error)),
        }),
      )
    })
    if (json) return yield* Console.log(JSON.stringify({ dryRun, ...found, ...sent }))
    yield* Console.log(
      dryRun
        ? `${found.valid} events are valid (${counts(found.byFlow)}), ${found.invalid} are not. Nothing was published.`
        : `Published ${sent.published} events (${counts(found.byFlow)}), ${sent.duplicates} were there already, ` +
          `${found.invalid} invalid lines were left out.`,
    )
  }),
).pipe(
  Command.withDescription("Publish events from a file"),
  Command.withExamples([
    { command: "weir publish fixtures/month-end/events.ndjson --dry-run", description: "check a file" },
    { command: "weir publish - --entity be01 < events.ndjson", description: "CloudEvents of one entity" },
  ]),
)
