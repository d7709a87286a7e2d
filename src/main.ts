/**
 * Wires Weir together from its configuration, and nothing else.
 *
 *     settings, addresses ─► Broker, Ledger, Odoo ─► CallGate, MasterData, Plan ─► actors on the cluster ─► HTTP
 */
import { Duration, Effect, Layer, Schedule, SubscriptionRef } from "effect"
import type { Sharding } from "effect/cluster"
import { hostname } from "node:os"
import process from "node:process"
import * as Actors from "./actor/Actors.ts"
import * as ManyProcesses from "./actor/ManyProcesses.ts"
import { keepToPart } from "./actor/partition.ts"
import { untilAvailable } from "./actor/patience.ts"
import { following } from "./actor/Roster.ts"
import * as SingleProcess from "./actor/SingleProcess.ts"
import * as Vault from "./archive/Vault.ts"
import { Broker } from "./broker/Broker.ts"
import * as JetStreamBroker from "./broker/JetStreamBroker.ts"
import type { Database, Settings } from "./config/Configuration.ts"
import { connectionOf } from "./config/connection.ts"
import { fixed, Live } from "./config/Live.ts"
import { resolve } from "./config/Secret.ts"
import type { Addresses } from "./config/Servers.ts"
import { guard } from "./config/guard.ts"
import { VERSION } from "./config/version.ts"
import type { Flow } from "./flow/Flow.ts"
import { health } from "./http/readiness.ts"
import * as Http from "./http/Server.ts"
import * as Authenticator from "./identity/Authenticator.ts"
import * as Oidc from "./identity/Oidc.ts"
import { Ledger } from "./ledger/Ledger.ts"
import * as PgPorts from "./ledger/PgPorts.ts"
import * as Adoption from "./odoo/Adoption.ts"
import { adoptedOf } from "./odoo/Adoption.ts"
import * as CallGate from "./odoo/CallGate.ts"
import { guarded } from "./odoo/guarded.ts"
import * as OdooHealth from "./odoo/Health.ts"
import * as Json2Odoo from "./odoo/Json2Odoo.ts"
import * as MasterData from "./odoo/MasterData.ts"
import { Odoo, OdooError } from "./odoo/Odoo.ts"
import * as Plan from "./odoo/plan/Plan.ts"
import * as Preview from "./odoo/plan/preview/Preview.ts"
import { live as liveActors } from "./operate/Actors.ts"
import { layer as credentials } from "./operate/Credentials.ts"
import * as Operations from "./operate/layer.ts"
import { Redriver } from "./operate/Redriving.ts"
import * as HttpService from "./services/HttpService.ts"
import { validateCatalog } from "../streams/catalog.ts"
import { gateGauges } from "./telemetry/Metrics.ts"

const GAUGES_EVERY = Duration.seconds(5)
/** Time beyond the grace in which the cluster may close an entity's scope. */
const TERMINATION_MARGIN = Duration.seconds(5)

/** The broker, with its streams in place. Waits while it is away. */
export const broker = (settings: Settings, { natsUrl }: Addresses) =>
  Layer.effect(
    Broker,
    Effect.gen(function* () {
      const options = yield* connectionOf(settings, natsUrl)
      const made = yield* JetStreamBroker.make(options).pipe(untilAvailable("broker"))
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

/** The configuration in force: one that is followed, or settings that stay as they are. */
export const inForce = (given: Settings | typeof Live.Service) =>
  Layer.effect(Live, "reload" in given ? Effect.succeed(given) : fixed(given))

/** The Odoo databases, each as the configuration in force has it. */
const databases = Layer.unwrap(Effect.map(Live, ({ settings }) => {
  const targets = new WeakMap<Database, Json2Odoo.Json2Database>()
  const targetOf = (name: string, database: Database): Json2Odoo.Json2Database => {
    const known = targets.get(database)
    if (known !== undefined) return known
    const made: Json2Odoo.Json2Database = {
      url: new URL(database.url),
      database: database.database,
      timeout: database.timeout,
      key: resolve(database.key).pipe(
        Effect.mapError((error) =>
          new OdooError({ code: "ODOO-AUTH", operation: `key of ${name}`, message: error.message })
        ),
      ),
    }
    targets.set(database, made)
    return made
  }
  const adoptionOf = (name: string, database: Database): Json2Odoo.Json2Database => ({
    ...targetOf(name, database),
    key: database.adoption === undefined
      ? Effect.fail(
        new OdooError({
          code: "ODOO-ACCESS",
          operation: "Adoption.name",
          message: "no key for adoption is configured: add adoption to the database in weir.json, then retry",
        }),
      )
      : resolve(database.adoption).pipe(
        Effect.mapError((error) => new OdooError({ code: "ODOO-ACCESS", operation: name, message: error.message })),
      ),
  })
  return Json2Odoo.layer({
    version: VERSION,
    databases: {
      get: (name) => {
        const adopted = adoptedOf(name)
        const database = SubscriptionRef.getUnsafe(settings).databases[adopted ?? name]
        if (database === undefined) return undefined
        return adopted === undefined ? targetOf(name, database) : adoptionOf(name, database)
      },
    },
  })
}))

export const odoo = (given: Settings | typeof Live.Service) => Layer.provide(databases, inForce(given))

/** Services beside Odoo that plans ask. */
export const services = (settings: Settings) =>
  HttpService.layer(
    new Map(
      Object.entries(settings.services).map(([name, { key, probe, timeout, url }]) => [name, {
        url,
        timeout,
        ...(probe !== undefined && { probe }),
        ...(key !== undefined && { key: resolve(key) }),
      }]),
    ),
  )

/** How many calls go to each Odoo at once. */
export const gate = Layer.unwrap(Effect.map(Live, ({ settings }) => {
  const databases = () => SubscriptionRef.getUnsafe(settings).databases
  const made = CallGate.layer({
    databases: { get: (name) => databases()[name], keys: () => Object.keys(databases()) },
  })
  return Layer.provideMerge(gauges, made)
}))

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
export const roster = (flows: ReadonlyArray<Flow>) =>
  Layer.unwrap(Effect.suspend(() => {
    const issues = validateCatalog(flows)
    return issues.length > 0
      ? Effect.die(new Error(`the catalogue of flows is not sound: ${issues.join("; ")}`))
      : Effect.succeed(following(`${hostname()}:${process.pid}`, flows))
  }))

/** Those that the process starts with. */
const started = (given: Settings | typeof Live.Service): Settings =>
  "reload" in given ? SubscriptionRef.getUnsafe(given.settings) : given

const terminationOf = ({ grace }: Settings) => Duration.sum(grace, TERMINATION_MARGIN)

/** Of its entities and its own. */
const regionsOf = ({ cluster, entities }: Settings): ReadonlyArray<string> => {
  const regions = new Set(Object.values(entities).flatMap(({ region }) => region ?? []))
  if (cluster?.region !== undefined) regions.add(cluster.region)
  return [...regions].sort()
}

const alone = (settings: Settings) =>
  SingleProcess.layer({ regions: regionsOf(settings), termination: terminationOf(settings) })

/** One process on its own, or one of several: then the ledger must be migrated, because its schema holds the runners. */
const placement = (settings: Settings, { postgresUrl }: Addresses) => {
  const { cluster } = settings
  if (cluster === undefined) return alone(settings)
  const { host = hostname(), region } = cluster
  const regions = regionsOf(settings)
  const termination = terminationOf(settings)
  return Layer.unwrap(
    Effect.as(Ledger, ManyProcesses.layer({ ...cluster, host, region, regions, postgresUrl, termination })),
  )
}

/**
 * The engine on given ports: what the real service and every simulation have in common.
 * Needs `Broker`, the ports of the ledger, `Odoo`.
 */
export const engine = <E = never, R = never>(
  given: Settings | typeof Live.Service,
  flows: ReadonlyArray<Flow>,
  placement: Layer.Layer<Sharding.Sharding, E, R> = alone(started(given)),
) =>
  Actors.layer(started(given).grace).pipe(
    Layer.provideMerge(placement),
    Layer.provide([Plan.layer, Preview.layer, Adoption.layer, OdooHealth.layer]),
    Layer.provide(MasterData.layer()),
    Layer.provideMerge(gate),
    Layer.provideMerge(roster(flows)),
    Layer.provideMerge(Vault.layer(started(given).retention?.directory)),
    Layer.provideMerge(inForce(given)),
  )

/** The API over the engine: who may ask, and what for; and who carries on what takes longer than a call. */
export const api = ({ access, http }: Settings) =>
  Http.layer({ ...http, callsPerMinute: access.callsPerMinute }).pipe(
    Layer.provideMerge(Redriver),
    Layer.provide([health, Operations.layer, Authenticator.layer(access)]),
    Layer.provide([liveActors, Oidc.layer(access.oidc)]),
  )

/** Nothing is taken in by a configuration that is for another environment than what it points at. */
const guarding = (given: Settings | typeof Live.Service) =>
  Layer.effect(
    Odoo,
    Effect.gen(function* () {
      const { settings } = yield* Live
      yield* guard(SubscriptionRef.getUnsafe(settings))
      return guarded(yield* Odoo, {
        environment: started(given).environment,
        database: (name) => SubscriptionRef.getUnsafe(settings).databases[name],
      })
    }),
  ).pipe(Layer.provide(inForce(given)))

/** Of what Weir may ask of an Odoo, each runner of a cluster keeps to its part. */
const partition = Layer.effectDiscard(Effect.forkScoped(keepToPart))

/** The whole service. Building it waits for broker and ledger; closing it drains for at most the configured grace. */
export const serve = (given: Settings | typeof Live.Service, addresses: Addresses, flows: ReadonlyArray<Flow>) => {
  const settings = started(given)
  return api(settings).pipe(
    Layer.provide(credentials),
    Layer.provideMerge(settings.cluster === undefined ? Layer.empty : partition),
    Layer.provideMerge(Layer.provide(engine(given, flows, placement(settings, addresses)), services(settings))),
    Layer.provideMerge(Layer.provide(guarding(given), odoo(given))),
    Layer.provideMerge([broker(settings, addresses), ledger(settings, addresses)]),
  )
}
