import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SchemaBinary } from "effect/encoding"
import { EntityStatus } from "../../src/actor/Board.ts"
import { LegalEntity } from "../../src/actor/LegalEntity.ts"

/** The status as runners of 0.1.0 send and read it. Never changed: it is out there. */
const Override = Schema.NullOr(
  Schema.Struct({ actor: Schema.String, reason: Schema.String, untilMillis: Schema.NullOr(Schema.Int) }),
)
const states = Schema.Literals(["starting", "running", "troubled", "draining", "stopped", "fenced"])
const released = Schema.Struct({
  entity: Schema.String,
  state: states,
  mode: Schema.Literals(["full", "essential", "drafts", "hold"]),
  override: Override,
  circuits: Schema.Array(Schema.Struct({
    dependency: Schema.String,
    state: Schema.Literals(["closed", "open", "half-open"]),
    openedAtMillis: Schema.NullOr(Schema.Int),
    trouble: Schema.String,
  })),
  incidents: Schema.Int,
  close: Override,
  epoch: Schema.Int,
  owner: Schema.String,
  configuration: Schema.optionalKey(Schema.String),
  trouble: Schema.String,
  flows: Schema.Array(Schema.Struct({
    flow: Schema.String,
    state: states,
    inFlight: Schema.Int,
    checkpoint: Schema.Int,
    ratePerSecond: Schema.Finite,
    trouble: Schema.String,
    retrying: Schema.Int,
    attempts: Schema.Int,
    nextTryMillis: Schema.NullOr(Schema.Int),
    restarts: Schema.Int,
    rebuilds: Schema.Int,
    paused: Override,
  })),
})
/** Messages that runners of 0.1.0 send. */
const messages = [
  "Ensure",
  "Reconfigure",
  "Status",
  "Released",
  "SetMode",
  "Close",
  "Drain",
  "Resume",
  "Pause",
  "Unpause",
]

const status: typeof released.Type = {
  entity: "be01",
  state: "running",
  mode: "full",
  override: { actor: "ada", reason: "upgrade", untilMillis: null },
  circuits: [{ dependency: "odoo", state: "open", openedAtMillis: 5, trouble: "away" }],
  incidents: 1,
  close: null,
  epoch: 9,
  owner: "host:7",
  configuration: "0123456789ab",
  trouble: "",
  flows: [{
    flow: "invoices",
    state: "troubled",
    inFlight: 3,
    checkpoint: 50,
    ratePerSecond: 2.5,
    trouble: "away",
    retrying: 3,
    attempts: 4,
    nextTryMillis: 90_000,
    restarts: 1,
    rebuilds: 2,
    paused: null,
  }],
}

/** From one release to another, as `ManyProcesses` sends it. */
const sent = <A, B, EA, EB>(from: Schema.Codec<A, EA>, to: Schema.Codec<B, EB>, value: A): B =>
  Schema.decodeUnknownSync(SchemaBinary.toCodec(to))(
    Schema.encodeUnknownSync(SchemaBinary.toCodec(from))(value),
  )

describe("runners of two releases in one cluster", () => {
  it("understand each other's status, whichever is the newer one", () => {
    assert.deepStrictEqual(sent(released, EntityStatus, status), status)
    assert.deepStrictEqual(sent(EntityStatus, released, status), status)
  })

  it("understand what says more, or less, than they know", () => {
    const { configuration: _, ...fields } = released.fields
    const before = Schema.Struct(fields)
    const { configuration: __, ...less } = status
    assert.deepStrictEqual(sent(before, EntityStatus, less), less)
    assert.deepStrictEqual(sent(EntityStatus, before, status), less)
    const flows = status.flows.map((flow) => ({ ...flow, feed: { seenAtMillis: 70_000, trouble: "" } }))
    assert.deepStrictEqual(sent(EntityStatus, released, { ...status, flows }), status)
  })

  it("would not, if something new had to be there", () => {
    const next = Schema.Struct({ ...EntityStatus.fields, novelty: Schema.Int })
    assert.throws(() => sent(released, next, status))
  })

  it.effect("take every message that the release before sends", () =>
    Effect.sync(() => {
      const taken = new Set(LegalEntity.protocol.requests.keys())
      assert.deepStrictEqual(messages.filter((name) => !taken.has(name)), [])
    }))
})
