/** `weir demo`: a month-end through real NATS and PostgreSQL into a stand-in Odoo, compared figure by figure. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpServer } from "effect/http"
import { hire } from "../../fixtures/odoo/employees.ts"
import { agrees, compare, load } from "../../fixtures/scenario.ts"
import { catalog } from "../../streams/catalog.ts"
import { Environment } from "../config/Secret.ts"
import { serve } from "../main.ts"
import { Odoo } from "../odoo/Odoo.ts"
import * as Logging from "../telemetry/Logging.ts"
import { publishAgain, publishAll, untilSettled } from "./demo/play.ts"
import { render } from "./demo/report.ts"
import { servers } from "./demo/servers.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { jsonFlag } from "./root.ts"
import { paintFor } from "./table.ts"

export const demo = Command.make(
  "demo",
  {
    scenario: Flag.String("scenario").pipe(
      Flag.withDescription("Folder of the scenario"),
      Flag.withDefault("fixtures/month-end-small"),
    ),
    keep: Flag.Boolean("keep").pipe(
      Flag.withDescription("Leave everything up afterwards, until Ctrl-C, and say how to look at it"),
      Flag.withDefault(false),
    ),
    live: Flag.Boolean("live").pipe(
      Flag.withDescription("Write into the Odoo of ODOO_URL, ODOO_DB and ODOO_API_KEY (docs/live-odoo.md)"),
      Flag.withDefault(false),
    ),
    twice: Flag.Boolean("twice").pipe(
      Flag.withDescription("Publish everything a second time: what stands in Odoo must not change"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, keep, live, scenario: folder, twice }) {
    const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
    const say = (text: string) => json ? Effect.void : Console.error(text)
    yield* Effect.gen(function* () {
      const scenario = yield* load(folder)
      const { entities, events } = scenario.expected
      yield* say(`starting NATS, PostgreSQL${live ? "" : " and a stand-in Odoo"} for ${scenario.expected.scenario}`)
      const { addresses, configuration, environment, odooUrl, postgresUrl } = yield* servers(scenario, live)
      yield* Effect.gen(function* () {
        const server = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
        if (live) yield* Odoo.use((odoo) => hire(odoo, "main", scenario.employees))
        yield* say(`publishing ${events} events of ${Object.keys(entities).join(", ")}`)
        const published = yield* publishAll(scenario, 1)
        const { seconds } = yield* untilSettled(events, !json)
        const figures = yield* compare(scenario)
        const agreed = figures.every(agrees)
        const again = twice ? yield* publishAgain(scenario, figures, !json) : null
        yield* Console.log(
          json
            ? JSON.stringify({
              scenario: scenario.expected.scenario,
              events,
              seconds,
              agrees: agreed,
              published: Object.fromEntries(published),
              figures,
              ...(again === null ? {} : { again }),
            })
            : `${render(figures, published, paint)}\n\n${figures.length} figures compared, ${
              agreed ? "all agree" : "NOT all agree"
            }; ${events} events in ${seconds.toFixed(1)} s`,
        )
        if (again !== null) {
          yield* say(`published twice: ${again.changed} of ${again.compared} figures in Odoo changed`)
          if (again.changed > 0) {
            return yield* new CommandFailed({
              exit: exitCodes.failure,
              message: "The second publication changed Odoo.",
            })
          }
        }
        if (keep) {
          yield* Console.error(
            [
              "Everything is left up until Ctrl-C:",
              `  status    curl ${server}/v1/status`,
              `  metrics   curl ${server}/metrics`,
              `  NATS      nats --server ${addresses.natsUrl} stream ls`,
              `  ledger    psql ${postgresUrl} -c 'select * from weir.tally'`,
              `  Odoo      curl ${odooUrl}/_standin/stats`,
            ].join("\n"),
          )
          yield* Effect.never
        }
        if (!agreed) {
          return yield* new CommandFailed({ exit: exitCodes.failure, message: "What stands in Odoo is not what must." })
        }
      }).pipe(
        Effect.provide(serve(configuration, addresses, catalog)),
        Effect.provideService(Environment, environment),
      )
    }).pipe(Effect.scoped, Effect.provide(Logging.layer({ level: "Warn" })))
  }),
).pipe(
  Command.withDescription("Run a month-end on embedded servers and a stand-in Odoo, and compare every total"),
  Command.withExamples([
    { command: "weir demo", description: "month-end-small, about a minute" },
    { command: "weir demo --keep", description: "and look around afterwards" },
    { command: "weir demo --live --twice", description: "the same into a real Odoo 19" },
  ]),
)
