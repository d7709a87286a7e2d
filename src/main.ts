/**
 * Wires Weir together from its configuration, and nothing else.
 *
 *     settings, addresses ─► Broker, Ledger, Odoo ─► CallGate, MasterData, Plan ─► actors on the cluster ─► HTTP
 */
import { Duration, Effect, Layer, Schedule } from "effect"
import { hostname } from "node:os"
import process from "node:process"
import * as Actors from "./actor/Actors.ts"
import { untilAvailable } from "./actor/patience.ts"
import { Roster } from "./actor/Roster.ts"
import * as SingleProcess from "./actor/SingleProcess.ts"
import { Broker } from "./broker/Broker.ts"
import * as JetStreamBroker from "./broker/JetStreamBroker.ts"
import type { Settings } from "./config/Configuration.ts"
import { resolve, type SecretMissing } from "./config/Secret.ts"
import type { Addresses } from "./config/Servers.ts"
import { VERSION } from "./config/version.ts"
import type { Flow } from "./flow/Flow.ts"
import { health } from "./http/readiness.ts"
import * as Http from "./http/Server.ts"
import * as Authenticator from "./identity/Authenticator.ts"
import * as Oidc from "./identity/Oidc.ts"
import * as PgPorts from "./ledger/PgPorts.ts"
import * as CallGate from "./odoo/CallGate.ts"
import * as OdooHealth from "./odoo/Health.ts"
import * as Json2Odoo from "./odoo/Json2Odoo.ts"
import * as MasterData from "./odoo/MasterData.ts"
import { OdooError } from "./odoo/Odoo.ts"
import * as Plan from "./odoo/plan/Plan.ts"
import * as Preview from "./odoo/plan/preview/Preview.ts"
import { live as liveActors } from "./operate/Actors.ts"
import * as Operations from "./operate/layer.ts"
import { validateCatalog } from "../streams/catalog.ts"
import { gateGauges } from "./telemetry/Metrics.ts"

const GAUGES_EVERY = Duration.seconds(5)
/** Time beyond the grace in which the cluster may close an entity's scope. */
const TERMINATION_MARGIN = Duration.seconds(5)

const secret = <A>(name: A | undefined, read: (name: A) => Effect.Effect<unknown, SecretMissing>) =>
  name === undefined ? Effect.succeed(undefined) : read(name)

/** The broker, with its streams in place. Waits while it is away. */
export const broker = (settings: Settings, { natsUrl }: Addresses) =>
  Layer.effect(
    Broker,
    Effect.gen(function* () {
      const { nats } = settings
      const optional = yield* Effect.all({
        credentials: secret(nats?.credentials, resolve),
        token: secret(nats?.token, resolve),
        password: secret(nats?.password, resolve),
      })
      const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
      const made = yield* JetStreamBroker.make({
        servers: natsUrl,
        ...(nats?.user === undefined ? {} : { user: nats.user }),
        ...(nats?.replicas === undefined ? {} : { replicas: nats.replicas }),
        ...given,
      }).pipe(untilAvailable("broker"))
      yield* made.provision.pipe(untilAvailable("broker"))
      return made
    }),
  )

/** The ledger, migrated. Waits while its database is away. */
export const ledger = (settings: Settings, { postgresUrl }: Addresses) =>
  Layer.effectContext(
    PgPorts.make({
      url: postgresUrl,
      ...(settings.postgres === undefined ? {} : { poolSize: settings.postgres.connections }),
    }).pipe(untilAvailable("ledger")),
  )

export const odoo = (settings: Settings) =>
  Json2Odoo.layer({
    version: VERSION,
    databases: new Map(
      Object.entries(settings.databases).map(([name, database]) => [name, {
        url: new URL(database.url),
        database: database.database,
        timeout: database.timeout,
        key: resolve(database.key).pipe(
          Effect.mapError((error) =>
            new OdooError({ code: "ODOO-AUTH", operation: `key of ${name}`, message: error.message })
          ),
        ),
      }]),
    ),
  })

const gate = (settings: Settings) =>
  Layer.provideMerge(gauges, CallGate.layer({ databases: new Map(Object.entries(settings.databases)) }))

/** Shows what the gate lets through. */
const gauges = Layer.effectDiscard(Effect.gen(function* () {
  const gate = yield* CallGate.CallGate
  yield* gate.snapshot.pipe(
    Effect.flatMap(Effect.forEach(({ database, limit, running }) => gateGauges(database, running, limit))),
    Effect.repeat(Schedule.spaced(GAUGES_EVERY)),
    Effect.forkScoped,
  )
}))

/** What is served. Flows that could never work are a defect of the catalogue, said before anything starts. */
export const roster = (settings: Settings, flows: ReadonlyArray<Flow>) =>
  Layer.effect(
    Roster,
    Effect.suspend(() => {
      const issues = validateCatalog(flows)
      return issues.length > 0
        ? Effect.die(new Error(`the catalogue of flows is not sound: ${issues.join("; ")}`))
        : Effect.succeed({
          owner: `${hostname()}:${process.pid}`,
          flows,
          entities: new Map(Object.entries(settings.entities).map(([code, entity]) => [code, { code, ...entity }])),
        })
    }),
  )

/**
 * The engine on given ports: what the real service and every simulation have in common.
 * Needs `Broker`, the ports of the ledger, `Odoo`.
 */
export const engine = (settings: Settings, flows: ReadonlyArray<Flow>) =>
  Actors.layer(settings.grace).pipe(
    Layer.provideMerge(SingleProcess.layer({ termination: Duration.sum(settings.grace, TERMINATION_MARGIN) })),
    Layer.provide([Plan.layer, Preview.layer, OdooHealth.layer]),
    Layer.provide(MasterData.layer()),
    Layer.provideMerge(gate(settings)),
    Layer.provideMerge(roster(settings, flows)),
  )

/** The API over the engine: who may ask, and what for. */
export const api = ({ access, http }: Settings) =>
  Http.layer({ ...http, callsPerMinute: access.callsPerMinute }).pipe(
    Layer.provide([health, Operations.layer, Authenticator.layer(access)]),
    Layer.provide([liveActors, Oidc.layer(access.oidc)]),
  )

/** The whole service. Building it waits for broker and ledger; closing it drains for at most the configured grace. */
export const serve = (settings: Settings, addresses: Addresses, flows: ReadonlyArray<Flow>) =>
  api(settings).pipe(
    Layer.provideMerge(engine(settings, flows)),
    Layer.provideMerge([broker(settings, addresses), ledger(settings, addresses), odoo(settings)]),
  )
