/** `weir surge` as a person starts it: servers of its own, a tiny scenario at full speed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generate } from "../../../fixtures/generator/generate.ts"
import { resize, shapes } from "../../../fixtures/generator/Shape.ts"
import { SurgeReport } from "../../../src/cli/surge/Report.ts"

const program = fileURLToPath(new URL("../../../src/cli/weir.ts", import.meta.url))
const before = "Deno" in globalThis ? ["run", "-A", program] : [program]
const root = fileURLToPath(new URL("../../../", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "weir-surge-test-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true })),
)

const weir = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resume) => {
    const child = execFile(
      process.execPath,
      [...before, ...args],
      { cwd: root },
      (_, stdout, stderr) => resume(Effect.succeed({ code: child.exitCode ?? -1, stdout, stderr })),
    )
  })

/** A few dozen events, and the report of a surge of them. */
const surge = Effect.fnUntraced(function* (files: Readonly<Record<string, object>>, ...args: ReadonlyArray<string>) {
  const path = yield* folder
  generate(resize(shapes["approve-all"], { consultants: 2, days: 2 }), 1, join(path, "scenario"))
  for (const [name, content] of Object.entries(files)) {
    yield* Effect.promise(() => writeFile(join(path, name), JSON.stringify(content)))
  }
  const named = Object.keys(files).flatMap((name) => [`--${name.replace(".json", "")}`, join(path, name)])
  const out = join(path, "out")
  const ended = yield* weir(
    ...["surge", join(path, "scenario"), "--speed", "max", "--odoo-latency", "0.02", "--out", out],
    ...named,
    ...args,
  )
  const text = yield* Effect.promise(() => readFile(join(out, "report.json"), "utf8").catch(() => "{}"))
  const page = yield* Effect.promise(() => readFile(join(out, "report.html"), "utf8").catch(() => ""))
  return { ...ended, page, report: Schema.decodeUnknownSync(SurgeReport)(JSON.parse(text)) }
})

describe("weir surge", () => {
  it.live(
    "strikes on schedule, finds every total right all the same, and ends with 1 for an objective it missed",
    () =>
      Effect.gen(function* () {
        const { code, page, report, stderr, stdout } = yield* surge({
          "faults.json": {
            faults: [
              { at: "0 seconds", fault: "odoo-slow", factor: 3, for: "1 second" },
              { at: "500 millis", fault: "weir-killed" },
            ],
          },
          // Nobody settles anything within a microsecond; a person's waiting depends on what else the machine does.
          "objectives.json": { latency: [{ flow: "customers", percentile: 50, atMost: "0.001 millis" }], user: null },
        })
        assert.strictEqual(code, 1, stderr)
        assert.deepStrictEqual(
          report.objectives.filter(({ met }) => !met).map(({ objective }) => objective.slice(0, 16)),
          [
            "p50 of customers",
          ],
        )
        assert.deepStrictEqual(report.faults.map(({ what }) => what), ["odoo-slow ×3 for 1s", "weir-killed"])
        assert.strictEqual(report.published, report.scenario.events)
        assert.deepStrictEqual(report.totals.different, [])
        assert.isAbove(report.totals.compared, 50)
        assert.include(stdout, "MISSED")
        assert.include(page, "weir-killed")
      }).pipe(Effect.scoped),
    180_000,
  )

  it.live("says what is wrong with a schedule and starts nothing", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const file = join(path, "faults.json")
      yield* Effect.promise(() => writeFile(file, `{"faults": [{"at": "soon", "fault": "odoo-away"}]}`))
      const { code, stderr } = yield* weir("surge", "approve-all", "--faults", file)
      assert.strictEqual(code, 2)
      assert.include(stderr, "must be a number and a unit")
      assert.strictEqual((yield* weir("surge", "nothing-like-it")).code, 2)
      assert.strictEqual((yield* weir("surge", "approve-all", "--speed", "fast")).code, 2)
    }).pipe(Effect.scoped), 120_000)
})
