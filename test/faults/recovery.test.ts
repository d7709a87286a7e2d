import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { Message } from "../../fixtures/generator/Message.ts"
import type { Program } from "../../src/cli/lab/Program.ts"
import type { ReplayView } from "../../src/operate/replays/views.ts"
import * as Input from "./Input.ts"
import * as Installation from "./Installation.ts"
import { seedOf } from "./seed.ts"

const SIZE = { consultants: 6, days: 5 }
const LATENCY = 0.05
const LOOKS = 600
/** Findings of a dry run that say that something is missing. */
const missing = ["create", "update", "unfinished", "unrecorded", "missing", "coming"]
/** Those, and values that differ: a source that says two things about one version has it so without any disaster. */
const amiss = [...missing, "changed"]

/** A statement of the runbook: what is run here is what is written there. */
const runbook = (name: string): string => {
  const page = readFileSync(new URL("../../docs/disaster-recovery.md", import.meta.url), "utf8")
  const found = new RegExp(`\`\`\`sql ${name}\\n([^\`]+)\`\`\``, "u").exec(page)
  assert.isNotNull(found, name)
  return found![1]!
}

const asked = Effect.fnUntraced(function* <A>(weir: Program, path: string, body?: unknown) {
  const { message } = yield* weir.said(/status on http/u)
  const base = /http:\/\/[^/]+/u.exec(message)![0]
  return yield* Effect.promise(async (): Promise<A> => {
    const response = await fetch(`${base}/v1${path}`, {
      signal: AbortSignal.timeout(30_000),
      ...(body !== undefined && {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer
  })
})

/** Looks at every event of the stream again and at what stands of it in Odoo; what is amiss, by flow. */
const proof = Effect.fnUntraced(function* (weir: Program, amiss: ReadonlyArray<string>) {
  const { runId } = yield* asked<ReplayView>(weir, "/replays", { subject: "erp.>", reason: "the proof" })
  for (let look = 0;; look++) {
    const { parts } = yield* asked<ReplayView>(weir, `/replays/${runId}`)
    if (parts.length > 0 && parts.every(({ state }) => state !== "gathering" && state !== "examining")) {
      const wrong = parts.flatMap(({ entity, findings, state, trouble }) => [
        ...trouble === "" ? [] : [`${entity} ${state}: ${trouble}`],
        ...Object.entries(findings).flatMap(([flow, counts]) =>
          amiss.filter((name) => (counts[name] ?? 0) > 0).map((name) => `${entity} ${flow}: ${counts[name]} ${name}`)
        ),
      ])
      return { wrong, seen: parts.reduce((sum, part) => sum + part.selected, 0) }
    }
    assert.isBelow(look, LOOKS, JSON.stringify(parts))
    yield* Effect.sleep("100 millis")
  }
})

const ended = Effect.fnUntraced(function* (weir: Program) {
  yield* weir.signal("SIGTERM")
  assert.deepStrictEqual(yield* weir.ended, { code: 0, signal: null })
})

/** What has no identity of its own is another exception each time it comes. */
const identified = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  messages.filter(({ body, fact }) => body._tag === "Envelope" && fact.flow !== null && fact.key !== null)

const installed = Effect.fnUntraced(function* (test: string, arrange?: Input.InputOptions["arrange"]) {
  const scenario = yield* Input.make({ ...SIZE, seed: seedOf(test), ...(arrange !== undefined && { arrange }) })
  return yield* Installation.make({ scenario, latency: LATENCY, durable: true })
})

describe("the runbook of docs/disaster-recovery.md", () => {
  it.live(
    "brings a ledger restored from an old backup level with stream and Odoo: nothing lost, nothing twice",
    () =>
      Effect.gen(function* () {
        const at = yield* installed("ledger restored")
        const { events } = at.scenario.expected
        const half = Math.ceil(events / 2)
        yield* at.publishPart(0, half)
        const first = yield* at.weir
        const known = yield* at.until(Math.ceil(events * 0.1), first)
        const restore = yield* at.backup
        yield* at.publishPart(half, Infinity)

        // The hour that is lost: most of the work, several owners, and the last one dies.
        yield* at.until(Math.ceil(events * 0.5), first)
        yield* ended(first)
        const second = yield* at.weir
        yield* at.until(events, second)
        const before = yield* proof(second, amiss)
        const epochs = yield* at.epochs
        yield* second.signal("SIGKILL")
        yield* second.ended

        yield* restore
        const left = yield* at.settled
        assert.isAtLeast(left, known, "what was settled before the backup is in it")
        assert.isBelow(left, events, "and Odoo has more")
        yield* at.sql(runbook("ledger-restored"))
        const third = yield* at.weir
        yield* at.until(events, third)
        assert.deepStrictEqual(yield* at.wrong, [])
        for (const [entity, epoch] of yield* at.epochs) assert.isAbove(epoch, epochs.get(entity) ?? 0, entity)
        assert.deepStrictEqual(yield* proof(third, amiss), before, "as if nothing had happened")
        yield* ended(third)
      }),
    180_000,
  )

  it.live("makes a ledger that is lost without a backup again from stream and Odoo", () =>
    Effect.gen(function* () {
      const at = yield* installed("ledger lost")
      const { events } = at.scenario.expected
      yield* at.publish
      const first = yield* at.weir
      yield* at.until(events, first)
      const before = yield* proof(first, amiss)
      yield* ended(first)
      yield* at.sql("drop schema weir cascade")
      const second = yield* at.weir
      yield* second.said(/status on http/u)
      yield* at.until(events, second)
      assert.deepStrictEqual(yield* at.wrong, [])
      assert.deepStrictEqual(yield* proof(second, amiss), before, "as if nothing had happened")
      yield* ended(second)
    }), 180_000)

  it.live(
    "goes on after the stream was lost: sources publish again, what is settled is recognised",
    () =>
      Effect.gen(function* () {
        const at = yield* installed("stream lost", identified)
        const { events } = at.scenario.expected
        const part = (of: number) => Math.ceil(events * of)
        yield* at.publishPart(0, part(0.6))
        const first = yield* at.weir
        yield* at.until(part(0.6), first)
        yield* ended(first)
        // Published and not settled: with the stream they are lost, but to their sources.
        yield* at.publishPart(part(0.6), part(0.8))
        yield* at.loseStream

        // Makes the streams, and takes nothing: there is nothing.
        const second = yield* at.weir
        yield* second.said(/^flow \w+ stopped and is restarted/u)
        yield* ended(second)
        const [row] = yield* at.sql<{ readonly first: bigint | number | string }>(runbook("stream-lost"))
        yield* at.purge("ERP", Number(row!.first))
        const third = yield* at.weir
        yield* at.publishPart(part(0.4), events)
        // What comes twice is settled twice, as a duplicate.
        yield* at.until(events + part(0.6) - part(0.4), third)
        const wrong = (yield* at.wrong).filter((line) => !/ duplicate: /u.test(line))
        assert.deepStrictEqual(wrong, [])
        assert.deepStrictEqual((yield* proof(third, missing)).wrong, [])
        yield* ended(third)
      }),
    180_000,
  )
})
