/** The contract of the port `src/ledger/Recall.ts`, run over every adapter. Each test has an entity of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Recall } from "../../src/ledger/Recall.ts"
import { freshEntity } from "./Ledger.suite.ts"
import { applied, duplicate, event, parked, settlement, superseded, waiting } from "./outcomes.ts"

const questions = ["e1", "e2", "e3", "new"].map((eventId) => ({
  eventId,
  key: eventId === "new" ? "CUS-2" : "CUS-1",
  references: [{ flow: "customers", key: "CUS-1" }, { flow: "customers", key: "none" }],
}))

export const recallSuite = (name: string, adapter: Layer.Layer<Recall | Ledger, unknown>) =>
  layer(adapter, { timeout: "60 seconds" })(`Recall: ${name}`, (it) => {
    it.effect("answers anybody what it answers the owner, whoever that is by now", () =>
      Effect.gen(function* () {
        const [ledger, recall] = [yield* Ledger, yield* Recall]
        const entity = freshEntity()
        const fence = yield* ledger.claim(entity, "a")
        yield* ledger.settle(fence, settlement([applied("e1"), parked("e2"), superseded("e3")]))
        const answers = yield* ledger.admit(fence, "customers", questions)
        assert.deepStrictEqual(answers.map(({ seen }) => seen?.state ?? null), [
          "applied",
          "parked",
          "superseded",
          null,
        ])
        assert.deepStrictEqual(yield* recall.answers(entity, "customers", questions), answers)
        yield* ledger.claim(entity, "b")
        assert.deepStrictEqual(yield* recall.answers(entity, "customers", questions), answers)
      }))

    it.effect("tells by which rules an event was settled: those of its owner then", () =>
      Effect.gen(function* () {
        const [ledger, recall] = [yield* Ledger, yield* Recall]
        const entity = freshEntity()
        const rules = (ids: ReadonlyArray<string>) =>
          Effect.map(recall.byId(entity, ids), (all) =>
            Object.fromEntries(all.map(({ eventId, rules }) => [eventId, rules])))
        const first = yield* ledger.claim(entity, "a", "0.1.0+1")
        yield* ledger.settle(first, settlement([applied("e1"), parked("e2", { key: "K2" })]))
        const second = yield* ledger.claim(entity, "b", "0.2.0+2")
        yield* ledger.settle(second, settlement([applied("e2", { key: "K2" }), applied("e3", { key: "K3" })]))
        const third = yield* ledger.claim(entity, "c")
        yield* ledger.settle(third, settlement([applied("e4", { key: "K4" })]))
        assert.deepStrictEqual(yield* rules(["e1", "e2", "e3", "e4"]), {
          e1: "0.1.0+1",
          e2: "0.2.0+2",
          e3: "0.2.0+2",
          e4: null,
        })
      }))

    it.effect("knows nothing of an entity that nobody ever owned", () =>
      Effect.gen(function* () {
        const recall = yield* Recall
        const nothing = { seen: null, mapping: null, blocked: false, references: [null, null] }
        assert.deepStrictEqual(
          yield* recall.answers(freshEntity(), "customers", questions),
          questions.map(() => nothing),
        )
        assert.deepStrictEqual(
          yield* recall.events({ entity: freshEntity(), fromMillis: 0, toMillis: 9e15, after: "", limit: 10 }),
          [],
        )
      }))

    it.effect("lists the events that were stored within a time, page by page, each as it is", () =>
      Effect.gen(function* () {
        const [ledger, recall] = [yield* Ledger, yield* Recall]
        const entity = freshEntity()
        const fence = yield* ledger.claim(entity, "a")
        // Message n is stored at 1 000 + n.
        yield* ledger.settle(
          fence,
          settlement([
            applied("e1"),
            waiting("e2", { flow: "engagements", key: "E" }, { key: "K2" }),
            superseded("e3", { key: "K3" }),
            parked("e4", { key: "K4" }),
            applied("e5", { key: "K5" }),
            duplicate("e1", { streamSequence: 6 }),
          ]),
        )
        yield* ledger.dismiss(entity, ["e4"], "why")
        const found: Array<readonly [string, string, number]> = []
        for (let after = "";;) {
          const page = yield* recall.events({ entity, fromMillis: 1_002, toMillis: 1_005, after, limit: 2 })
          found.push(...page.map(({ eventId, state, streamSequence }) => [eventId, state, streamSequence] as const))
          if (page.length < 2) break
          after = page.at(-1)!.eventId
        }
        assert.deepStrictEqual(found, [["e2", "waiting", 2], ["e3", "superseded", 3], ["e4", "dismissed", 4]])
        const byId = yield* recall.byId(entity, ["e1", "nobody", "e2"])
        assert.deepStrictEqual(
          byId.toSorted((a, b) => a.eventId < b.eventId ? -1 : 1),
          [
            { ...event("e1"), state: "applied", rules: null },
            { ...event("e2", { key: "K2" }), state: "waiting", rules: null },
          ],
        )
        assert.deepStrictEqual(yield* recall.byId(entity, []), [])
      }))
  })
