/** `weir run`: the service, until it is told to stop. */
import { Duration, Effect, Option, Schema } from "effect"
import { Command, Flag, GlobalFlag } from "effect/cli"
import { HttpServer } from "effect/http"
import { catalog } from "../../streams/catalog.ts"
import { Cluster, type Settings } from "../config/Configuration.ts"
import { follow } from "../config/Live.ts"
import { source } from "../config/load.ts"
import { start } from "../config/Servers.ts"
import { VERSION } from "../config/version.ts"
import { serve } from "../main.ts"
import * as Logging from "../telemetry/Logging.ts"
import * as Tracing from "../telemetry/Tracing.ts"
import { CommandFailed, exitCodes, interruption } from "./Failure.ts"
import { onHangUp, watch } from "./following.ts"
import { watchHeap } from "./heap.ts"
import { loaded, loadFrom, root } from "./root.ts"

/** Time beyond the configured grace in which everything must be closed; then the process ends anyhow. */
const SHUTDOWN_MARGIN = Duration.seconds(15)

/** The first signal stops in order, but not for ever; the second one ends the process at once. */
const watchSignals = (limit: Duration.Duration) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let signals = 0
      const onSignal = () => {
        if (signals++ > 0) process.exit(interruption.exitCode)
        setTimeout(() => process.exit(1), Duration.toMillis(limit)).unref()
      }
      process.on("SIGINT", onSignal).on("SIGTERM", onSignal)
      return onSignal
    }),
    (onSignal) => Effect.sync(() => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal)),
  )

/** One of several, whatever the file says. */
const clustered = (configuration: Settings): Effect.Effect<Settings, CommandFailed> => {
  if (configuration.cluster !== undefined) return Effect.succeed(configuration)
  return configuration.nats === undefined || configuration.postgres === undefined
    ? Effect.fail(
      new CommandFailed({
        exit: exitCodes.usage,
        message: "--cluster needs nats and postgres in weir.json: all runners of a cluster share them.",
      }),
    )
    : Effect.succeed({ ...configuration, cluster: Schema.decodeSync(Cluster)({}) })
}

export const run = Command.make(
  "run",
  {
    cluster: Flag.Boolean("cluster").pipe(
      Flag.withDescription("Share the entities with the other weir run of the same ledger (cluster in weir.json)"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(function* ({ cluster }) {
    const { config } = yield* root
    const file = Option.getOrUndefined(config)
    const { text } = yield* source(file)
    const started = yield* loaded
    const { configuration: given, unknownVariables } = started
    const configuration = cluster ? yield* clustered(given) : given
    const live = yield* follow(started, configuration, loadFrom(file))
    const level = Option.getOrElse(yield* GlobalFlag.LogLevel, () => configuration.logLevel)
    return yield* Effect.gen(function* () {
      yield* watchSignals(Duration.sum(configuration.grace, SHUTDOWN_MARGIN))
      interruption.exitCode = 0
      yield* Effect.logInfo(`weir ${VERSION}, configuration from ${started.file ?? "the environment"}`)
      for (const variable of unknownVariables) {
        yield* Effect.logWarning(`${variable} means no field of the configuration`)
      }
      const entities = Object.keys(configuration.entities)
      if (entities.length === 0) yield* Effect.logWarning("no legal entity is configured: there is nothing to do")
      yield* Effect.forkScoped(watchHeap(live))
      const addresses = yield* start(configuration)
      return yield* Effect.gen(function* () {
        yield* Effect.forkScoped(watch(source(file), text))
        yield* Effect.forkScoped(onHangUp)
        const server = yield* HttpServer.HttpServer
        yield* Effect.logInfo(
          `serves ${entities.join(", ")}; status on ${HttpServer.formatAddress(server.address)}/v1/status`,
        )
        return yield* Effect.never
      }).pipe(Effect.provide(serve(live, addresses, catalog)))
    }).pipe(Effect.scoped, Effect.provide([Logging.layer({ level }), Tracing.layer]))
  }),
).pipe(
  Command.withDescription("Run the service. Starts its own NATS and PostgreSQL when none are configured"),
  Command.withExamples([
    { command: "weir run", description: "with weir.json of the working directory" },
    { command: "weir run --cluster", description: "one of several on the same NATS and PostgreSQL" },
    { command: "WEIR_HTTP_PORT=9000 weir run --config be.json", description: "another file, another port" },
  ]),
)
