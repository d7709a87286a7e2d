/** `weir demo`: a month-end through real NATS and PostgreSQL into a stand-in Odoo, compared figure by figure. */
import { Clock, Console, Effect, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpServer } from "effect/http"
import { agrees, compare, load, publications, type Scenario, settled } from "../../fixtures/scenario.ts"
import { catalog } from "../../streams/catalog.ts"
import { Broker } from "../broker/Broker.ts"
import { Environment } from "../config/Secret.ts"
import { serve } from "../main.ts"
import * as Logging from "../telemetry/Logging.ts"
import { render } from "./demo/report.ts"
import { servers } from "./demo/servers.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { jsonFlag } from "./root.ts"
import { paintFor } from "./table.ts"

/** Messages published between two confirmations. */
const BATCH = 500
const LOOK_EVERY = "250 millis"
/** Looks without change after which the demo gives up. */
const PATIENCE = 240
/** Plain lines, when there is no terminal, come this many looks apart. */
const LINE_EVERY = 8

/** Publishes the scenario and counts its events per entity and flow. */
const publishAll = Effect.fnUntraced(function* (scenario: Scenario) {
  const broker = yield* Broker
  const domains = new Map(catalog.map(({ domain, name }) => [domain, name]))
  const published = new Map<string, number>()
  yield* Stream.fromAsyncIterable(
    publications(scenario),
    (cause) => new CommandFailed({ exit: exitCodes.failure, message: String(cause) }),
  ).pipe(
    Stream.grouped(BATCH),
    Stream.runForEach((batch) => {
      for (const { subject } of batch) {
        const [, entity = "", domain = ""] = subject.split(".")
        const flow = domains.get(domain)
        const name = flow !== undefined && entity in scenario.expected.entities ? `${entity}/${flow}` : "_unrouted/"
        published.set(name, (published.get(name) ?? 0) + 1)
      }
      return broker.publish(batch)
    }),
  )
  return published
})

/** Waits until every event has an outcome, with a live line on a terminal and plain lines elsewhere. */
const untilSettled = Effect.fnUntraced(function* (total: number, say: boolean) {
  const terminal = process.stderr.isTTY === true
  const started = yield* Clock.currentTimeMillis
  let [last, still] = [-1, 0]
  for (let look = 0;; look++) {
    const done = yield* settled
    const seconds = ((yield* Clock.currentTimeMillis) - started) / 1_000
    const line = `${done} of ${total} events settled, ${Math.round(done / Math.max(seconds, 0.001))} a second`
    if (say && terminal) process.stderr.write(`\r\u001b[K${line}${done >= total ? "\n" : ""}`)
    else if (say && (look % LINE_EVERY === 0 || done >= total)) yield* Console.error(line)
    if (done >= total) return { seconds, done }
    still = done === last ? still + 1 : 0
    last = done
    if (still >= PATIENCE) {
      return yield* new CommandFailed({
        exit: exitCodes.failure,
        message: `Nothing has moved for a minute at ${done} of ${total} events. The log above says what it waits for.`,
      })
    }
    yield* Effect.sleep(LOOK_EVERY)
  }
})

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
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, keep, scenario: folder }) {
    const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
    const say = (text: string) => json ? Effect.void : Console.error(text)
    yield* Effect.gen(function* () {
      const scenario = yield* load(folder)
      const { entities, events } = scenario.expected
      yield* say(`starting NATS, PostgreSQL and a stand-in Odoo for ${scenario.expected.scenario}`)
      const { addresses, configuration, environment, odooUrl, postgresUrl } = yield* servers(scenario)
      yield* Effect.gen(function* () {
        const server = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
        yield* say(`publishing ${events} events of ${Object.keys(entities).join(", ")}`)
        const published = yield* publishAll(scenario)
        const { seconds } = yield* untilSettled(events, !json)
        const figures = yield* compare(scenario)
        const agreed = figures.every(agrees)
        yield* Console.log(
          json
            ? JSON.stringify({
              scenario: scenario.expected.scenario,
              events,
              seconds,
              agrees: agreed,
              published: Object.fromEntries(published),
              figures,
            })
            : `${render(figures, published, paint)}\n\n${figures.length} figures compared, ${
              agreed ? "all agree" : "NOT all agree"
            }; ${events} events in ${seconds.toFixed(1)} s`,
        )
        if (keep) {
          yield* Console.error(
            [
              "Everything is left up until Ctrl-C:",
              `  status    curl ${server}/status`,
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
  ]),
)
