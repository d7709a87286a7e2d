/** A surge onto what a configuration names: its broker, its ledger, its Odoo, and the service that runs there. */
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import type { Scenario } from "../../../fixtures/scenario.ts"
import { Broker } from "../../broker/Broker.ts"
import type { Settings } from "../../config/Configuration.ts"
import { Environment } from "../../config/Secret.ts"
import { attach } from "../../config/Servers.ts"
import { odoo as odooOf } from "../../main.ts"
import { Odoo } from "../../odoo/Odoo.ts"
import * as PgLedger from "../../ledger/PgLedger.ts"
import { serviceUrl } from "../door.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"
import { brokerOf, postgresOf, unanswered } from "../ports.ts"
import { asked, statusOf } from "./service.ts"
import type { Target } from "./Target.ts"

/** The scenario's entities must be there, or its events would become exceptions of nobody. */
const check = (settings: Settings, { configuration }: Scenario): Effect.Effect<void, CommandFailed> => {
  const missing = Object.keys(configuration.entities).filter((code) => settings.entities[code] === undefined)
  return missing.length === 0 ? Effect.void : Effect.fail(
    new CommandFailed({
      exit: exitCodes.usage,
      message:
        `The configuration has no entities ${missing.join(", ")}, which the scenario has. Add them, or make the ` +
        "scenario without them: weir fixture make … --entities.",
    }),
  )
}

/** Starts nothing. Fails when broker, ledger or service do not answer. */
export const configured = Effect.fnUntraced(
  function* (settings: Settings, scenario: Scenario) {
    yield* check(settings, scenario)
    const { natsUrl, postgresUrl } = yield* attach(settings)
    const sql = yield* postgresOf(postgresUrl)
    const ports = yield* Layer.build(Layer.merge(brokerOf(settings, natsUrl), odooOf(settings)))
    const service = serviceUrl(settings)
    const status = statusOf(service, (yield* Environment)["WEIR_TOKEN"])
    if ((yield* status) === null) {
      return yield* new CommandFailed({
        exit: exitCodes.unreachable,
        message: `No weir tells its status on ${service}. Start it first, and set WEIR_TOKEN if it wants a token: ` +
          "a surge onto a configuration watches the service there.",
      })
    }
    const workers = Object.values(settings.databases).reduce((sum, { workers }) => sum + workers, 0)
    const target: Target = {
      kind: "configured",
      description: `the service on ${service}, Odoo of ${Object.keys(settings.databases).join(", ")}`,
      broker: Context.get(ports, Broker),
      ledger: PgLedger.fromClient(sql),
      sql,
      odoo: Context.get(ports, Odoo),
      odooWorkers: workers,
      status,
      metrics: asked(`${service}/metrics`),
      busySeconds: Effect.succeed(null),
      pid: () => null,
      control: null,
      alive: Effect.void,
    }
    return target
  },
  Effect.catchTags({
    BrokerError: (error) => Effect.fail(unanswered(error)),
    LedgerError: (error) => Effect.fail(unanswered(error)),
    SecretMissing: (error) => Effect.fail(unanswered(error)),
    ServersError: ({ message }) => Effect.fail(new CommandFailed({ exit: exitCodes.unreachable, message })),
  }),
  Effect.provide(FetchHttpClient.layer),
)
