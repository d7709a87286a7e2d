/** The contract of the port `src/ledger/Archives.ts`, run over every adapter. Each test has an entity of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { Amendments } from "../../src/ledger/Amendments.ts"
import {
  type Archive,
  type ArchiveKind,
  Archives,
  type Leaver,
  type LeaversOfMonth,
} from "../../src/ledger/Archives.ts"
import { type AuditRecord, chain } from "../../src/ledger/Governance.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Recall } from "../../src/ledger/Recall.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import type { Ports } from "../../src/ledger/PgPorts.ts"
import { adding } from "./adding.suite.ts"
import { freshEntity } from "./Ledger.suite.ts"
import { applied, duplicate, event, message, parked, settlement, superseded, waiting } from "./outcomes.ts"

/** Histories have the database's clock: everything is old for it. */
const EVER = 9e15

const claimed = Effect.gen(function* () {
  const [ledger, archives] = [yield* Ledger, yield* Archives]
  const fence = yield* ledger.claim(freshEntity(), "here")
  return { archives, entity: fence.entity, fence, ledger }
})

const all = (entity: string, kind: ArchiveKind, beforeMillis = EVER): LeaversOfMonth => ({
  entity,
  kind,
  beforeMillis,
  fromMillis: 0,
  toMillis: EVER,
})

const idsOf = (leavers: ReadonlyArray<Leaver>): ReadonlyArray<string> => leavers.map(({ id }) => id)

const file = (entity: string, kind: ArchiveKind, name: string) => ({
  entity,
  kind,
  name,
  rows: 1,
  bytes: 10,
  sha256: "00",
  fromMillis: 1,
  toMillis: 2,
})

const entry = (id: string, action = "operation.allowed") => ({
  entries: [{ id, actor: "ada", action, detail: { reason: `a é\u0000 "test" ${id}` } }] as const,
  incidents: [],
  outbox: [],
})

export const archivesSuite = (name: string, adapter: Layer.Layer<Ports, unknown>) =>
  layer(adapter, { timeout: "60 seconds" })(`Archives: ${name}`, (it) => {
    it.effect("lets go what is final, below the checkpoint and old enough, and nothing else", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        yield* TestClock.setTime(2_000)
        yield* ledger.settle(
          fence,
          settlement([
            applied("e1"),
            superseded("e2"),
            parked("e3", { key: "CUS-3" }),
            waiting("e4", { flow: "customers", key: "none" }, { key: "CUS-4" }),
            parked("e5", { key: "CUS-5" }),
            applied("e6", { key: "CUS-6" }),
            applied("e90", { key: "CUS-90" }),
          ], { customers: 50 }),
        )
        yield* ledger.dismiss(entity, ["e5"], "no longer wanted")
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "events"), "", 10)), ["e1", "e2", "e5", "e6"])
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "events"), "e1", 2)), ["e2", "e5"], "a page")
        // Stored at 1 000 and its position; settled at 2 000.
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "events", 1_006), "", 10)), [], "settled later")
        const month = { ...all(entity, "events"), fromMillis: 1_002, toMillis: 1_006 }
        assert.deepStrictEqual(idsOf(yield* archives.page(month, "", 10)), ["e2", "e5"])
        assert.sameMembers([...idsOf(yield* archives.byId(month, ["e1", "e2", "e3", "e5", "nobody's"]))], ["e2", "e5"])
        assert.deepStrictEqual(yield* archives.months({ entity, kind: "events", beforeMillis: EVER }), [
          { month: "1970-01", rows: 4 },
        ])
        const [row] = yield* archives.page(all(entity, "events"), "e2", 1)
        assert.deepStrictEqual(row, {
          id: "e5",
          atMillis: 1_005,
          row: {
            ...event("e5", { key: "CUS-5" }),
            state: "dismissed",
            reason: "no longer wanted",
            rules: null,
            settledAtMillis: 2_000,
          },
        })
      }))

    it.effect("remembers an event that has left: it is a duplicate, whoever brings it, and counts nowhere again", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        const recall = yield* Recall
        yield* ledger.settle(
          fence,
          settlement([applied("e1", { version: 3 }), superseded("e2"), adding("e3", "5")], { customers: 9, usage: 9 }),
        )
        const questions = ["e1", "e2", "new"].map((eventId) => ({ eventId, key: "CUS-1", references: [] }))
        const answers = yield* ledger.admit(fence, "customers", questions)
        const known = yield* recall.byId(entity, ["e1"])
        const before = yield* ledger.tallies(entity)
        yield* archives.record(file(entity, "events", "1970-01-a"))
        assert.strictEqual(yield* archives.drop(entity, "events", ["e1", "e2", "e3", "nobody's"]), 3)
        assert.strictEqual(yield* archives.drop(entity, "events", ["e1", "e2", "e3"]), 0, "once")
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "events"), "", 10)), [])
        // The version gate stands in the mapping, which stays.
        assert.deepStrictEqual(yield* ledger.admit(fence, "customers", questions), answers)
        assert.deepStrictEqual(yield* recall.answers(entity, "customers", questions), answers)
        const { payloadHash, state, streamSequence } = known[0]!
        const [remembered] = yield* recall.byId(entity, ["e1", "nobody's"])
        assert.deepInclude(remembered, { eventId: "e1", payloadHash, state, streamSequence })
        // A replay that writes it again, a failure meanwhile, a window that it would add to once more.
        yield* ledger.settle(fence, settlement([applied("e1", { version: 3 }), adding("e3", "5")]))
        yield* ledger.settle(fence, settlement([parked("e2"), waiting("e1", { flow: "customers", key: "none" })]))
        assert.deepStrictEqual(yield* ledger.tallies(entity), before)
        const due = { flow: "usage", nowMillis: EVER, quietSinceMillis: EVER, limit: 9 }
        assert.deepStrictEqual(
          (yield* ledger.dueWindows(fence, due)).map(({ events, quantity }) => [events, quantity]),
          [
            [1, "5"],
          ],
        )
        // It comes again as another message, as a publisher sends it.
        yield* ledger.settle(fence, settlement([duplicate("e1", { streamSequence: 12 })], { customers: 12 }))
        assert.strictEqual((yield* ledger.tallies(entity)).find(({ flow }) => flow === "customers")?.duplicate, 1)
      }))

    it.effect("does not know events of one entity by another's", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        yield* ledger.settle(fence, settlement([applied("e1")], { customers: 9 }))
        yield* archives.record(file(entity, "events", "1970-01-a"))
        yield* archives.drop(entity, "events", ["e1"])
        const other = yield* ledger.claim(freshEntity(), "here")
        yield* archives.record(file(other.entity, "events", "1970-01-a"))
        const [answer] = yield* ledger.admit(other, "customers", [{ eventId: "e1", key: "CUS-1", references: [] }])
        assert.strictEqual(answer?.seen, null)
        yield* ledger.settle(other, settlement([applied("e1")]))
        assert.strictEqual((yield* ledger.tallies(other.entity))[0]?.applied, 1)
      }))

    it.effect("lets the history of an exception go once it is over, with its corrections", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        const amendments = yield* Amendments
        yield* ledger.settle(fence, settlement([parked("e1"), parked("e2", { key: "CUS-2" })]))
        const propose = (eventId: string, data: string, financial: boolean) =>
          amendments.propose({
            entity,
            eventId,
            baseHash: createHash("sha256").update(message(eventId).data).digest("hex"),
            data: new TextEncoder().encode(data),
            key: "CUS-1",
            changes: [],
            financial,
            reason: "typo",
            by: "ada",
          })
        yield* propose("e1", "mended", false)
        yield* propose("e2", "open", true)
        assert.deepStrictEqual(yield* archives.page(all(entity, "exceptions"), "", 10), [], "they are held")
        assert.deepStrictEqual(yield* archives.page(all(entity, "corrections"), "", 10), [])
        yield* ledger.settle(fence, settlement([applied("e1")]))
        const histories = yield* archives.page(all(entity, "exceptions"), "", 10)
        assert.deepStrictEqual(histories.map(({ row }) => [row["eventId"], row["action"]]), [
          ["e1", "raised"],
          ["e1", "proposed"],
          ["e1", "edited"],
          ["e1", "resolved"],
        ])
        const next = yield* archives.page(all(entity, "exceptions"), histories[1]!.id, 1)
        assert.deepStrictEqual(next, histories.slice(2, 3))
        const [correction, ...others] = yield* archives.page(all(entity, "corrections"), "", 10)
        assert.deepStrictEqual(others, [])
        const { original, corrected, state } = correction!.row
        assert.deepStrictEqual(
          [
            state,
            Buffer.from(String(original), "base64").toString(),
            Buffer.from(String(corrected), "base64").toString(),
          ],
          ["applied", "payload of e1", "mended"],
        )
        assert.strictEqual(yield* archives.drop(entity, "exceptions", [...idsOf(histories), "987654321"]), 4)
        assert.strictEqual(yield* archives.drop(entity, "corrections", [correction!.id]), 1)
        assert.strictEqual(yield* archives.drop(entity, "corrections", [correction!.id]), 0)
        assert.deepStrictEqual(
          (yield* amendments.list({ entities: [entity], before: null, limit: 9 })).map(({ eventId }) => eventId),
          ["e2"],
        )
      }))

    it.effect("lets a trail go from its first record on; the chain goes on over the gap", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        for (let n = 1; n <= 6; n++) {
          yield* TestClock.setTime(n * 1_000)
          yield* ledger.govern(fence, entry(`a${n}`))
        }
        const of = (beforeMillis: number) => archives.page(all(entity, "audit", beforeMillis), "", 10)
        assert.deepStrictEqual(idsOf(yield* of(4_000)), ["1", "2", "3"])
        assert.deepStrictEqual(idsOf(yield* of(EVER)), ["1", "2", "3", "4", "5"], "the last one stays")
        const leaving = yield* of(4_000)
        const whole = yield* ledger.audit({ entity, after: null, limit: 10 })
        assert.deepStrictEqual(
          leaving.map(({ row }) => row),
          whole.slice(0, 3).map((record, n) => ({ ...record, entryId: `a${n + 1}` })),
        )
        const refused = [
          yield* Effect.flip(archives.drop(entity, "audit", ["2", "3"])),
          yield* Effect.flip(archives.drop(entity, "audit", ["1", "2", "3", "4", "5", "6"])),
        ]
        assert.deepStrictEqual(refused.map(({ reason }) => reason), ["Refused", "Refused"])
        assert.include(refused[0]!.message, "not in the archive")
        assert.strictEqual((yield* ledger.audit({ entity, after: null, limit: 10 })).length, 6, "all stay")
        assert.strictEqual(yield* archives.drop(entity, "audit", ["1", "2"]), 2)
        assert.strictEqual(yield* archives.drop(entity, "audit", ["1", "2"]), 0, "once")
        assert.strictEqual(yield* archives.drop(entity, "audit", ["1", "2", "3"]), 1)
        assert.deepStrictEqual(yield* ledger.auditAnchor(entity), { sequence: 3, hash: whole[2]!.hash })
        yield* ledger.govern(fence, entry("a7"))
        const live = yield* ledger.audit({ entity, after: null, limit: 10 })
        assert.deepStrictEqual(live.map(({ sequence }) => sequence), [4, 5, 6, 7])
        assert.deepStrictEqual(chain(yield* ledger.auditAnchor(entity), live), {
          sequence: 7,
          hash: live.at(-1)!.hash,
        })
        // From the archive's first record to the ledger's last one.
        const archived = leaving.map(({ row }) => row as unknown as AuditRecord)
        assert.notProperty(chain({ sequence: 0, hash: "" }, [...archived, ...live]), "broken")
        assert.deepStrictEqual(
          chain({ sequence: 0, hash: "" }, [archived[0]!, { ...archived[1]!, actor: "eve" }, ...live]),
          { broken: 2 },
        )
      }))

    it.effect("keeps the last act about a close, and what came after it", () =>
      Effect.gen(function* () {
        const { archives, entity, fence, ledger } = yield* claimed
        for (const [n, action] of ["operation.allowed", "close.begun", "x", "y"].entries()) {
          yield* ledger.govern(fence, entry(`a${n}`, action))
        }
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "audit"), "", 10)), ["1"])
      }))

    it.effect("lets runs go that are over", () =>
      Effect.gen(function* () {
        const [archives, runs] = [yield* Archives, yield* Runs]
        const entity = freshEntity()
        const run = {
          entity,
          kind: "replay",
          state: "examining",
          request: { a: "\u0000" },
          requestedBy: "ada",
          reason: "x",
        } as const
        for (const runId of ["r1", "r2", "r3"]) yield* runs.open({ ...run, runId })
        yield* TestClock.setTime(5_000)
        yield* runs.change(entity, "r1", ["examining"], { state: "done", result: { complete: true } })
        yield* TestClock.setTime(6_000)
        yield* runs.change(entity, "r2", ["examining"], { state: "failed", trouble: "why" })
        assert.deepStrictEqual(idsOf(yield* archives.page(all(entity, "runs", 6_000), "", 10)), ["r1"])
        const both = yield* archives.page(all(entity, "runs"), "", 10)
        assert.deepStrictEqual(both.map(({ row }) => [row["runId"], row["state"], row["result"], row["request"]]), [
          ["r1", "done", { complete: true }, { a: "\u0000" }],
          ["r2", "failed", null, { a: "\u0000" }],
        ])
        assert.strictEqual(yield* archives.drop(entity, "runs", ["r1", "r3"]), 1)
        assert.deepStrictEqual((yield* runs.runs({ entity, limit: 9 })).map(({ runId }) => runId), ["r3", "r2"])
      }))

    it.effect("lists files newest first, page by page, and those whose rows have not all left", () =>
      Effect.gen(function* () {
        const archives = yield* Archives
        const [a, b] = [freshEntity(), freshEntity()]
        yield* TestClock.setTime(1_000)
        yield* archives.record(file(a, "events", "one"))
        yield* archives.record(file(b, "events", "one"))
        yield* TestClock.setTime(2_000)
        yield* archives.record(file(a, "audit", "two"))
        yield* archives.record({ ...file(a, "audit", "two"), sha256: "another" })
        yield* archives.dropped({ entity: a, kind: "events", name: "one" })
        const first: Archive = { ...file(a, "audit", "two"), writtenAtMillis: 2_000, droppedAtMillis: null }
        const second: Archive = { ...file(a, "events", "one"), writtenAtMillis: 1_000, droppedAtMillis: 2_000 }
        assert.deepStrictEqual(yield* archives.list({ entity: a, limit: 9 }), [first, second])
        assert.deepStrictEqual(yield* archives.list({ entity: a, pending: true, limit: 9 }), [first])
        assert.deepStrictEqual(yield* archives.list({ entities: [a, b], kind: "events", limit: 1 }), [second])
        const rest = yield* archives.list({ entities: [a, b], after: second, limit: 9 })
        assert.deepStrictEqual(rest.map(({ entity }) => entity), [b])
      }))
  })
