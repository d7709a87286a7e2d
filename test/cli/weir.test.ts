import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../src/cli/weir.ts", import.meta.url))
/** This very runtime: Deno needs a command and permissions before the program. */
const before = "Deno" in globalThis ? ["run", "-A", program] : [program]

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `weir` in an empty folder with `weir.json` and `events.ndjson` as given. */
const weir = (args: ReadonlyArray<string>, files: Readonly<Record<string, string>> = {}): Effect.Effect<Ended> =>
  Effect.scoped(Effect.gen(function* () {
    const cwd = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "weir-cli-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true })),
    )
    for (const [name, text] of Object.entries(files)) {
      yield* Effect.promise(() => writeFile(join(cwd, name), text))
    }
    return yield* Effect.callback<Ended>((resume) => {
      const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], DENO_DIR: process.env["DENO_DIR"] }
      const child = execFile(
        process.execPath,
        [...before, ...args],
        { cwd, env },
        (_, stdout, stderr) => resume(Effect.succeed({ code: child.exitCode ?? -1, stdout, stderr })),
      )
    })
  }))

/** Nothing listens on the discard port. */
const silent = JSON.stringify({ http: { port: 9 } })
const customer = JSON.stringify({
  specversion: "1.0",
  id: "1",
  source: "//crm",
  type: "customer.upserted",
  data: { key: "CUS-1", name: "Ada", kind: "company", address: { country: "BE" } },
})

describe("weir", () => {
  it.live("--help lists the commands and the exit codes", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* weir(["--help"])
      assert.strictEqual(code, 0)
      for (const text of ["run", "publish", "status", "doctor", "Exit codes", "--config"]) assert.include(stdout, text)
    }))

  it.live("ends with 2 on a wrong command line and on a wrong configuration", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* weir(["statsu"])).code, 2)
      const wrong = yield* weir(["status"], { "weir.json": `{"http": {"port": "x"}, "databases": {"main": {}}}` })
      assert.strictEqual(wrong.code, 2)
      for (const path of ["http.port", "databases.main.url", "databases.main.key"]) assert.include(wrong.stderr, path)
      assert.notInclude(wrong.stderr, "    at ")
    }))

  it.live("orders need a month that is one, a reason, and somebody who obeys", () =>
    Effect.gen(function* () {
      const files = { "weir.json": silent }
      assert.strictEqual((yield* weir(["period", "approve", "be01", "2026-13"], files)).code, 2)
      assert.strictEqual((yield* weir(["mode", "be01", "hold"], files)).code, 2)
      const nobody = yield* weir(["drain", "be01"], files)
      assert.strictEqual(nobody.code, 4)
      assert.include(nobody.stderr, "weir run")
    }))

  it.live("publish --dry-run checks a file without any server", () =>
    Effect.gen(function* () {
      const files = { "weir.json": silent, "events.ndjson": `${customer}\n` }
      const { code, stdout } = yield* weir(
        ["publish", "events.ndjson", "--entity", "be01", "--dry-run", "--json"],
        files,
      )
      assert.strictEqual(code, 0)
      assert.deepInclude(JSON.parse(stdout), { dryRun: true, valid: 1, invalid: 0, published: 0 })
    }))

  it.live("publish ends with 1 and sends nothing when a line is invalid", () =>
    Effect.gen(function* () {
      const files = { "weir.json": silent, "events.ndjson": `${customer}\nnonsense\n` }
      const { code, stderr } = yield* weir(["publish", "events.ndjson", "--entity", "be01"], files)
      assert.strictEqual(code, 1)
      assert.include(stderr, "line 2: not a JSON object")
      assert.include(stderr, "nothing was published")
    }))

  it.live("doctor ends with 3 when a check fails, its findings on standard output", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* weir(["doctor", "--json"], { "weir.json": silent })
      assert.strictEqual(code, 3)
      assert.include(stdout, `"level":"fail"`)
    }))

  it.live("status ends with 4 when there is nobody to ask", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* weir(["status"], { "weir.json": silent })
      assert.strictEqual(code, 4)
      assert.include(stderr, "weir run")
    }))
})
