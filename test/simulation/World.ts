/**
 * The whole product on memory adapters and virtual time: broker, ledger and Odoo in this process, the real flows, the
 * real engine. What differs from production is three layers.
 */
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { StandIn, type StandInOptions } from "../../fixtures/odoo/StandIn.ts"
import { make as makeOdoo, type StandInOdooOptions } from "../../fixtures/odoo/StandInOdoo.ts"
import { catalog } from "../../streams/catalog.ts"
import { Broker, type Publication } from "../../src/broker/Broker.ts"
import { toMessage } from "../../src/broker/cloudevents.ts"
import * as MemoryBroker from "../../src/broker/MemoryBroker.ts"
import { check } from "../../src/config/load.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import { Ledger, type Tally } from "../../src/ledger/Ledger.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { engine } from "../../src/main.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"

/** One Belgian entity, as `weir.json` would say it. */
export const configuration = {
  feed: { every: "0 seconds" },
  databases: {
    main: { url: "http://127.0.0.1:8069", database: "odoo", key: { env: "ODOO_API_KEY" }, workers: 4, share: 1 },
  },
  entities: {
    be01: {
      database: "main",
      company: 3,
      currency: "EUR",
      journals: { sales: "INV", bank: "BNK1" },
      taxes: { S21: "21%", S6: "6%" },
    },
  },
}

export interface WorldOptions {
  readonly configuration?: unknown
  readonly flows?: ReadonlyArray<Flow>
  readonly standIn?: StandInOptions | StandIn
  readonly odoo?: StandInOdooOptions
}

/** Employees that the sample timesheets name. */
const employees = [{ name: "Consultant 1", work_email: "c01@be01.example.test", company: 3 }]

export const ports = (options: WorldOptions = {}) => {
  const standIn = options.standIn instanceof StandIn
    ? options.standIn
    : new StandIn({ employees, now: () => 0, ...options.standIn })
  const layer = Layer.mergeAll(
    MemoryBroker.layer(),
    MemoryLedger.layer,
    Layer.succeed(Odoo, makeOdoo(standIn, options.odoo)),
  )
  return {
    standIn,
    layer: Layer.provideMerge(Layer.effectDiscard(Effect.flatMap(Broker, (broker) => broker.provision)), layer),
  }
}

/** The running product; closing the layer's scope is a shutdown. */
export const running = (options: WorldOptions = {}) =>
  Layer.unwrap(Effect.map(
    Effect.orDie(check("test", options.configuration ?? configuration, {})),
    ({ configuration }) => engine(configuration, options.flows ?? catalog),
  ))

/** An event as a publisher would send it. */
export const publication = <D extends { readonly key: string }>(
  type: string,
  data: D,
  given: { readonly id?: string; readonly sequence?: number; readonly entity?: string; readonly source?: string } = {},
): Publication =>
  toMessage({
    specversion: "1.0",
    id: given.id ?? `${type}-${data.key}-${given.sequence ?? 0}`,
    source: given.source ?? "test",
    type,
    ...(given.sequence === undefined ? {} : { sequence: given.sequence }),
    data,
  }, `erp.${given.entity ?? "be01"}.${type.split(".").slice(0, 2).join(".")}`)

export const publish = (...publications: ReadonlyArray<Publication>) =>
  Effect.flatMap(Broker, (broker) => broker.publish(publications))

/** Lets virtual time pass in small steps, so that every fiber gets its turn in between. */
export const pass = (seconds: number) =>
  Effect.gen(function* () {
    for (let step = 0; step < seconds * 10; step++) {
      yield* TestClock.adjust("100 millis")
      // Promises of adapters resolve in microtasks: give them a real turn.
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
  })

/** Counters of an entity by flow. */
export const tallies = (entity = "be01") =>
  Effect.map(
    Effect.flatMap(Ledger, (ledger) => ledger.tallies(entity)),
    (rows) => new Map(rows.map((row): readonly [string, Tally] => [row.flow, row])),
  )
