/**
 * One flow on the whole product in virtual time: one entity with a customer and an engagement, a stand-in Odoo, and what a
 * test looks at afterwards.
 */
import { Effect, Stream } from "effect"
import type { Rec } from "../../fixtures/odoo/Model.ts"
import { checkFact } from "../../schemas/facts.ts"
import { Broker, type Publication } from "../../src/broker/Broker.ts"
import { type ExceptionRecord, Ledger } from "../../src/ledger/Ledger.ts"
import type { Flow } from "../../src/flow/Flow.ts"
import { configuration, pass, ports, publication, publish, running } from "../simulation/World.ts"
import { customer, engagement } from "./samples.ts"

const [be01] = Object.values(configuration.entities)

/** The entity with what costs need. */
const entities = {
  be01: {
    ...be01,
    journals: { ...be01!.journals, purchase: "BILL" },
    purchaseTaxes: { P21: "21% S", P6: "6% M" },
    accounts: { "expense-travel": "616505", "expense-hotel": "616501" },
  },
}

export interface TrialOptions {
  readonly flows?: ReadonlyArray<Flow>
  /** Added to the entity's configuration. */
  readonly entity?: Readonly<Record<string, unknown>>
}

export const trial = (options: TrialOptions = {}) => {
  const world = ports()
  const { standIn } = world
  const rows = (model: string): ReadonlyArray<Rec> => [...standIn.store.tables.get(model)!.rows.values()]
  /** The record with this external id, without its prefix `weir_be01.`. */
  const record = (model: string, name: string): Rec | undefined => {
    const id = standIn.store.resolve(model, `weir_be01.${name}`)
    return id === undefined ? undefined : standIn.store.tables.get(model)!.rows.get(id)
  }
  /** Asks the stand-in as a client would. */
  const ask = (model: string, method: string, body: Record<string, unknown>) => {
    const response = standIn.handle({
      model,
      method,
      key: "stand-in-key",
      body: { ...body, context: { allowed_company_ids: [3] } } as never,
    })
    if (response.status !== 200) throw new Error(`${model}/${method}: ${JSON.stringify(response.body)}`)
    return response.body
  }
  /** Delivered and to be invoiced of a line of the engagement, by its external id. */
  const quantities = (name: string): ReadonlyArray<number> => {
    const id = record("sale.order.line", name)?.id
    const [line] = ask("sale.order.line", "read", {
      ids: [id],
      fields: ["qty_delivered", "qty_to_invoice"],
    }) as never as ReadonlyArray<{ qty_delivered: number; qty_to_invoice: number }>
    return [line!.qty_delivered, line!.qty_to_invoice]
  }
  const layer = <A, E, R>(test: Effect.Effect<A, E, R>) =>
    test.pipe(
      Effect.provide(running({
        configuration: { ...configuration, entities: { be01: { ...entities.be01, ...options.entity } } },
        ...(options.flows !== undefined && { flows: options.flows }),
      })),
      Effect.provide(world.layer),
    )
  return { standIn, rows, record, ask, quantities, layer }
}

/** The customer and the engagement that the samples refer to. */
export const basis: ReadonlyArray<Publication> = [
  publication("customer.upserted", customer, { sequence: 1 }),
  publication("engagement.activated", engagement),
]

/** Publishes and lets the flow come to rest. */
export const send = (...publications: ReadonlyArray<Publication>) => Effect.andThen(publish(...publications), pass(5))

/** Exceptions and whatever else is held, oldest event first: state, code, key. */
export const held: Effect.Effect<ReadonlyArray<ExceptionRecord>, unknown, Ledger> = Effect.map(
  Effect.flatMap(Ledger, (ledger) => ledger.exceptions({ limit: 100 })),
  (records) => [...records].reverse(),
)
export const codes = Effect.map(held, (records) => records.map(({ code, key, state }) => `${key} ${state} ${code}`))

export interface Fact {
  readonly type: string
  readonly id: string
  readonly time: string
  readonly data: { readonly [name: string]: unknown }
  readonly correlationid?: string
  readonly causationid?: string
}

/** What went out under a type, in order. */
export const published = (type: string, entity = "be01") =>
  Effect.gen(function* () {
    const broker = yield* Broker
    const messages = yield* Stream.runCollect(broker.read({ subject: `erp-out.${entity}.${type}`, fromSequence: 1 }))
    return [...messages].map(({ data }) => {
      const fact = JSON.parse(new TextDecoder().decode(data)) as Fact
      checkFact(fact.type, fact.data)
      return fact
    })
  })
