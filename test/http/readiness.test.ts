import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Broker } from "../../src/broker/Broker.ts"
import { Health } from "../../src/http/Health.ts"
import { fromPorts } from "../../src/http/readiness.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"

const ledger = Layer.mock(Ledger, {
  owners: Effect.succeed([{ entity: "be01", epoch: 6, owner: "host:1", mode: "full" as const, claimedAtMillis: 0 }]),
})

describe("readiness", () => {
  const described = Layer.mock(Broker, {
    describe: Effect.succeed({
      server: "nats:4222",
      version: "2.12.1",
      jetstream: true,
      stream: {
        name: "ERP",
        messages: 0,
        bytes: 0,
        firstSequence: 1,
        lastSequence: 0,
        storage: "file" as const,
        replicas: 1,
      },
    }),
  })
  const verdicts = (inactive: ReadonlyArray<string>, ports: Layer.Layer<Broker | Ledger>) =>
    Health.use((health) => health.checks).pipe(
      Effect.map((checks) => checks.map(({ name, ok }) => `${name} ${ok}`)),
      Effect.provide(fromPorts(Effect.succeed(inactive)).pipe(Layer.provide(ports))),
    )

  it.effect("needs broker, ledger and every actor", () =>
    Effect.gen(function* () {
      const ports = Layer.merge(described, ledger)
      assert.deepStrictEqual(yield* verdicts([], ports), ["broker true", "ledger true", "actors true"])
      assert.deepStrictEqual(yield* verdicts(["nl01"], ports), ["broker true", "ledger true", "actors false"])
    }))

  it.effect("is answered in time although a server hangs", () =>
    Effect.gen(function* () {
      const hanging = Layer.mock(Broker, { describe: Effect.never })
      const fiber = yield* Effect.forkChild(verdicts([], Layer.merge(hanging, ledger)))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["broker false", "ledger true", "actors true"])
    }))
})
