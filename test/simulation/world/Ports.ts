/** The three ports as one process sees them: over the network, with everything observed on the way. */
import { Effect, Exit, Layer, Scope, Stream } from "effect"
import { Broker, type Delivery } from "../../../src/broker/Broker.ts"
import { Access } from "../../../src/ledger/Access.ts"
import { Archives } from "../../../src/ledger/Archives.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import { Recall } from "../../../src/ledger/Recall.ts"
import { Runs } from "../../../src/ledger/Runs.ts"
import { type Json, Odoo, type OdooCall } from "../../../src/odoo/Odoo.ts"
import type { Process } from "../kernel/Kernel.ts"
import type { Network } from "./Network.ts"
import type { Observer } from "./Observer.ts"

export interface Outside {
  readonly process: Process
  readonly broker: Broker["Service"]
  readonly ledger: Ledger["Service"]
  /** For runs, of which the simulated persons begin none: not over the network. */
  readonly access: Access["Service"]
  readonly recall: Recall["Service"]
  readonly runs: Runs["Service"]
  readonly archives: Archives["Service"]
  readonly odoo: Odoo["Service"]
  /** Milliseconds that the ledger's answers take longer, now. */
  readonly ledgerSlowMillis: () => number
}

export const portsOf = (process: Process, outside: Outside, network: Network, observer: Observer) =>
  Layer.mergeAll(
    Layer.succeed(Broker, brokerOf(process, outside, network, observer)),
    Layer.succeed(Ledger, ledgerOf(process, outside, network, observer)),
    Layer.succeed(Access, outside.access),
    Layer.succeed(Recall, outside.recall),
    Layer.succeed(Runs, outside.runs),
    Layer.succeed(Archives, outside.archives),
    Layer.succeed(Odoo, odooOf(process, outside, network, observer)),
  )

const brokerOf = (process: Process, { broker, process: world }: Outside, network: Network, observer: Observer) => {
  const call = <A, E>(operation: string, effect: Effect.Effect<A, E>) =>
    network.call(process, effect, { operation: `broker ${operation}` })
  return Broker.of({
    describe: call("describe", broker.describe),
    provision: call("provision", broker.provision),
    publish: (publications) => call("publish", broker.publish(publications)),
    backlog: (consumer) => call("backlog", broker.backlog(consumer)),
    lastSequence: (subject) => call("lastSequence", broker.lastSequence(subject)),
    subjects: (pattern) => call("subjects", broker.subjects(pattern)),
    read: (range) =>
      Stream.unwrap(Effect.map(call("read", Stream.runCollect(broker.read(range))), Stream.fromIterable)),
    consume: (request) =>
      Stream.unwrap(Effect.gen(function* () {
        const consumer = observer.consuming(process, request)
        // The consumer lives outside, for as long as this process does not say that it is done.
        const scope = Scope.makeUnsafe()
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            world.kernel.enqueue(() => world.fork(Scope.close(scope, Exit.void)))
          })
        )
        const pull = yield* call("consume", Scope.provide(Stream.toPull(broker.consume(request)), scope))
        const observed = (delivery: Delivery): Delivery => ({
          ...delivery,
          ack: () => {
            consumer.acknowledged(delivery)
            delivery.ack()
          },
        })
        return Stream.fromPull(Effect.succeed(Effect.map(call("pull", pull), (chunk) => {
          consumer.delivered(chunk)
          return [observed(chunk[0]), ...chunk.slice(1).map(observed)] as const
        })))
      })),
  })
}

/** Every operation of the ledger goes over the network alike, whatever operations there are. */
const ledgerOf = (
  process: Process,
  { ledger, ledgerSlowMillis }: Outside,
  network: Network,
  observer: Observer,
): Ledger["Service"] => {
  const call = (operation: string, effect: Effect.Effect<unknown, unknown>, entity?: string) =>
    network.call(
      process,
      Effect.onExit(effect, (exit) => Effect.sync(() => observer.ledgerCalled(process, operation, exit, entity))),
      { operation: `ledger ${operation}`, slowMillis: ledgerSlowMillis },
    )
  const observed: Partial<Ledger["Service"]> = {
    claim: (entity, owner) =>
      Effect.tap(ledger.claim(entity, owner), (claim) => Effect.sync(() => observer.claimed(process, claim))),
    admit: (fence, flow, questions) => {
      observer.admitting(process, fence, flow, questions)
      return ledger.admit(fence, flow, questions)
    },
    settle: (fence, settlement) =>
      Effect.tap(
        ledger.settle(fence, settlement),
        () => Effect.sync(() => observer.settled(process, fence, settlement)),
      ),
  }
  return Object.fromEntries(
    Object.entries({ ...ledger, ...observed }).map(([operation, member]) => [
      operation,
      typeof member !== "function" ? call(operation, member) : (...given: ReadonlyArray<never>) => {
        const run = member as (...given: ReadonlyArray<never>) => Effect.Effect<unknown, unknown>
        return call(operation, run(...given), entityIn(given[0]))
      },
    ]),
  ) as unknown as Ledger["Service"]
}

/** The first argument is an entity's code or its owner's fence. */
const entityIn = (first: unknown): string | undefined => {
  if (typeof first === "string") return first
  if (typeof first !== "object" || first === null || !("entity" in first)) return undefined
  return typeof first.entity === "string" ? first.entity : undefined
}

const odooOf = (process: Process, { odoo }: Outside, network: Network, observer: Observer) =>
  Odoo.of({
    version: (database) => network.call(process, odoo.version(database), { operation: "odoo version" }),
    call: (given) =>
      Effect.suspend(() => {
        // A context of its own tells this call from every other one when it arrives at the stand-in.
        const context: { readonly [name: string]: Json } = { ...given.context }
        const call: OdooCall = { ...given, context }
        const begun = observer.calling(process, call, context)
        const operation = `odoo ${call.method}`
        return network.call(process, odoo.call(call), { operation, abandoned: begun.abandoned }).pipe(
          Effect.onExit((exit) => Effect.sync(() => begun.ended(exit))),
        )
      }),
  })
