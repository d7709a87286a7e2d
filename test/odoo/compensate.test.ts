import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { event } from "../../src/flow/Flow.ts"
import { load, type Step, transition } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import * as CallGate from "../../src/odoo/CallGate.ts"
import * as MasterData from "../../src/odoo/MasterData.ts"
import type { OdooCall } from "../../src/odoo/Odoo.ts"
import * as Plan from "../../src/odoo/plan/Plan.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

interface Data {
  readonly key: string
}

const company = { entity: "be01", database: "main", id: 3, currency: "EUR", journals: {}, taxes: {} }

const plan: ReadonlyArray<Step<Data>> = [
  load({
    name: "move",
    model: "account.move",
    mode: "create",
    compensate: { on: ["ODOO-VALIDATION"], method: "action_cancel", field: "state", from: ["draft"], to: ["cancel"] },
    rows: ({ data }) => ({ externalId: `weir_be01.invoices_${data.key}`, values: { ref: data.key } }),
  }),
  transition({
    name: "post",
    model: "account.move",
    of: "move",
    method: "action_posted",
    field: "state",
    from: ["draft"],
    to: ["posted"],
  }),
]

const spec = event<Data>({
  type: "thing.made",
  version: 1,
  schema: Schema.Any,
  key: ({ key }) => key,
  parents: () => [],
  references: () => [],
  versions: "once",
  plan,
  record: "move",
})

const run = (odoo: TinyOdoo, keys: ReadonlyArray<string>) => {
  const writes = keys.map((key): Write<unknown> => ({
    data: { key },
    key,
    company,
    references: [],
    previous: null,
    ids: {},
    read: {},
  }))
  return Plan.Plan.use((plan) => plan.run(spec, writes, { flow: "things", lane: "normal", drafts: false })).pipe(
    Effect.provide(
      Plan.layer.pipe(
        Layer.provide(MasterData.layer()),
        Layer.provide(CallGate.layer({ databases: new Map([["main", { workers: 4, share: 1 }]]) })),
        Layer.provide(odoo.layer),
      ),
    ),
  )
}

/** All drafts; posting `bad` is refused with `code`. */
const refusing = (bad: string, code: "ODOO-VALIDATION" | "ODOO-ACCESS") => {
  const odoo = new TinyOdoo()
  odoo.defaults = { state: "draft" }
  const refuses = (call: OdooCall): boolean =>
    call.method === "action_posted" && call.ids!.some((id) => odoo.records.get(id)?.["ref"] === bad)
  odoo.intercept = (call) => refuses(call) ? odoo.error(call, code, "an archived account") : undefined
  return odoo
}
const stateOf = (odoo: TinyOdoo, key: string) => odoo.find(`weir_be01.invoices_${key}`)?.["state"]
const cancels = (odoo: TinyOdoo) => odoo.calls.filter(({ method }) => method === "action_cancel").length

describe("compensation", () => {
  it.effect("takes back what the guilty event left, tells so, and leaves the others alone", () =>
    Effect.gen(function* () {
      const odoo = refusing("BAD", "ODOO-VALIDATION")
      const [a, bad, b] = yield* run(odoo, ["A", "BAD", "B"])
      assert.deepStrictEqual([a?._tag, b?._tag], ["Written", "Written"])
      assert.deepStrictEqual(["A", "BAD", "B"].map((key) => stateOf(odoo, key)), ["posted", "cancel", "posted"])
      assert.strictEqual(bad?._tag === "Refused" ? bad.refusal.code : "", "ODOO-VALIDATION")
      assert.include(bad?._tag === "Refused" ? bad.standing : "", "account.move 2 taken back by action_cancel")
    }))

  it.effect("does nothing a second time, and the event stays refused", () =>
    Effect.gen(function* () {
      const odoo = refusing("BAD", "ODOO-VALIDATION")
      yield* run(odoo, ["BAD"])
      const [again] = yield* run(odoo, ["BAD"])
      assert.strictEqual(again?._tag === "Refused" ? again.refusal.code : "", "ODOO-UNEXPECTED-STATE")
      assert.strictEqual(cancels(odoo), 1)
      assert.strictEqual(stateOf(odoo, "BAD"), "cancel")
    }))

  it.effect("is for the declared reasons only: what an operator can mend stands for the retry", () =>
    Effect.gen(function* () {
      const odoo = refusing("BAD", "ODOO-ACCESS")
      const [bad] = yield* run(odoo, ["BAD"])
      assert.strictEqual(bad?._tag === "Refused" ? bad.standing : "", "account.move 1 (weir_be01.invoices_BAD)")
      assert.strictEqual(stateOf(odoo, "BAD"), "draft")
    }))

  it.effect("tells when Odoo does not let it be taken back", () =>
    Effect.gen(function* () {
      const odoo = refusing("BAD", "ODOO-VALIDATION")
      const refuse = odoo.intercept
      odoo.intercept = (call) =>
        call.method === "action_cancel" ? odoo.error(call, "ODOO-VALIDATION", "it is hashed") : refuse(call)
      const [bad] = yield* run(odoo, ["BAD"])
      assert.include(
        bad?._tag === "Refused" ? bad.standing : "",
        "account.move 1 could not be taken back by action_cancel, it is draft: it is hashed",
      )
    }))

  it.effect("is repeated with the whole run when its answer is lost, and happens once", () =>
    Effect.gen(function* () {
      const odoo = refusing("BAD", "ODOO-VALIDATION")
      const refuse = odoo.intercept
      let lost = true
      odoo.intercept = (call) => {
        if (call.method !== "action_cancel" || !lost) return refuse(call)
        lost = false
        odoo.records.get(call.ids![0]!)!["state"] = "cancel"
        return odoo.error(call, "ODOO-NO-ANSWER", "reset")
      }
      const error = yield* Effect.flip(run(odoo, ["BAD"]))
      assert.strictEqual(error.code, "ODOO-NO-ANSWER")
      const [bad] = yield* run(odoo, ["BAD"])
      assert.strictEqual(bad?._tag, "Refused")
      assert.strictEqual(stateOf(odoo, "BAD"), "cancel")
      assert.strictEqual(cancels(odoo), 1)
    }))
})
