/** The rebuild of a ledger through both doors; what it finds is `test/rebuild/`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { customer } from "../streams/samples.ts"
import { pass, publication, publish } from "../simulation/World.ts"
import { configuration, office, request, type Said, tokenFor, weir } from "./Office.ts"

const held = { ...configuration, entities: { be01: { ...configuration.entities.be01, mode: "hold" } } }

/** Time passes while a command waits for the service. */
const meanwhile = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    self,
    Effect.forever(Effect.andThen(
      TestClock.adjust("100 millis"),
      Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 2))),
    )),
  )
const lastOf = ({ stdout }: Said) => JSON.parse(stdout.split("\n").at(-1) ?? "")

describe("rebuilding a ledger", () => {
  it.effect("is asked for and followed over HTTP and on the command line, once the entity is drained", () => {
    const place = office({ configuration: held })
    const reason = "lost with its disk"
    return Effect.gen(function* () {
      yield* publish(publication("customer.upserted", customer, { sequence: 1 }))
      yield* pass(5)
      const refused = yield* meanwhile(weir(["ledger", "rebuild", "be01", "--reason", reason]))
      assert.strictEqual(refused.code, 1)
      assert.include(refused.message, "drain it first")
      assert.strictEqual((yield* meanwhile(weir(["drain", "be01"]))).code, 0)
      const viewer = yield* tokenFor("vic", ["viewer"])
      const rebuilds = "/v1/entities/be01/ledger/rebuilds"
      assert.strictEqual((yield* request(rebuilds, { body: { reason }, token: viewer })).status, 403)
      const started = yield* request(rebuilds, { body: { reason } })
      assert.strictEqual(started.status, 202, JSON.stringify(started.body))
      yield* pass(8)
      const done = (yield* request(`${rebuilds}/${started.body.runId}`, { token: viewer })).body
      // Odoo has nothing of it: it is left to the flow.
      assert.deepStrictEqual(
        [done.state, done.flows],
        ["done", { customers: { recorded: 0, superseded: 0, left: 1 } }],
        done.trouble,
      )
      const shown = yield* weir(["ledger", "rebuilt", "be01", started.body.runId, "--json"])
      assert.deepStrictEqual(lastOf(shown).flows, done.flows)
      assert.strictEqual((yield* request(`${rebuilds}/nobodys`)).status, 404)
    }).pipe(Effect.provide(place.layer), Effect.scoped)
  }, 60_000)
})
