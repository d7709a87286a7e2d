/** The main command: what all others share. */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { catalog } from "../../streams/catalog.ts"
import { FlowNames, load } from "../config/load.ts"

export const root = Command.make("weir").pipe(
  Command.withDescription(
    "Weir brings business events from NATS JetStream into Odoo: each exactly once, in order per business key.\n\n" +
      "Exit codes: 0 it worked, 1 it failed, 2 wrong usage or configuration, 3 a check failed (doctor, audit verify, reconcile), " +
      "4 broker, ledger or Odoo cannot be reached.",
  ),
  Command.withSharedFlags({
    config: Flag.String("config").pipe(
      Flag.withAlias("c"),
      Flag.withDescription("Configuration file. Default: WEIR_CONFIG, else weir.json if there is one"),
      Flag.optional,
    ),
    url: Flag.String("url").pipe(
      Flag.withDescription(
        "The service to ask, for example https://weir.example.com. Default: WEIR_URL, else the one of the configuration. " +
          "WEIR_TOKEN holds the token for it",
      ),
      Flag.optional,
    ),
    by: Flag.String("by").pipe(
      Flag.withDescription(
        "Who asks, for the audit trail, where no token says it. Default: the user of the operating system",
      ),
      Flag.optional,
    ),
  }),
)

/** The configuration of `file`, else of the usual places, with the flows that this Weir has. */
export const loadFrom = (file: string | undefined) =>
  load(file).pipe(Effect.provideService(FlowNames, catalog.map(({ name }) => name)))

/** The configuration that `--config` and the environment give. */
export const loaded = Effect.gen(function* () {
  const { config } = yield* root
  return yield* loadFrom(Option.getOrUndefined(config))
})

/** Results as JSON on standard output, for programs. */
export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Write the result as JSON"),
  Flag.withDefault(false),
)
