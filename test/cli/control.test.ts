import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Control, type ControlAnswer, ControlFailed } from "../../src/http/Control.ts"
import { address, layer } from "../../src/http/Server.ts"
import { Health, StatusSource } from "../../src/http/Status.ts"
import { renderIncidents } from "../../src/cli/incidents.ts"
import { plain } from "../../src/cli/table.ts"

const program = fileURLToPath(new URL("../../src/cli/weir.ts", import.meta.url))
const before = "Deno" in globalThis ? ["run", "-A", program] : [program]

/** A process start takes seconds on a busy machine. */
const SLOW = 90_000

/** Runs `weir` with a configuration that names this service. */
const weir = (args: ReadonlyArray<string>, port: number) =>
  Effect.scoped(Effect.gen(function* () {
    const cwd = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "weir-cli-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true })),
    )
    yield* Effect.promise(() => writeFile(join(cwd, "weir.json"), JSON.stringify({ http: { port } })))
    return yield* Effect.callback<{ readonly code: number; readonly stdout: string; readonly stderr: string }>(
      (resume) => {
        const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], DENO_DIR: process.env["DENO_DIR"] }
        const child = execFile(
          process.execPath,
          [...before, ...args],
          { cwd, env },
          (_, stdout, stderr) => resume(Effect.succeed({ code: child.exitCode ?? -1, stdout, stderr })),
        )
      },
    )
  }))

const standing: ControlAnswer = {
  entity: "be01",
  done: true,
  state: "stopped",
  mode: "hold",
  override: { actor: "ada", reason: "upgrade", untilMillis: 0 },
  close: { actor: "ada", reason: "November close", untilMillis: 0 },
}

const service = (orders: Array<unknown>) => {
  const given = (order: string) => (entity: string, request: object) =>
    Effect.suspend(() => {
      orders.push([order, entity, JSON.parse(JSON.stringify(request))])
      return entity === "be01"
        ? Effect.succeed({ ...standing, done: order === "mode" })
        : Effect.fail(new ControlFailed({ status: 404, message: `${entity} is not in the configuration.` }))
    })
  return layer({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide([
    Layer.mock(Health, {}),
    Layer.mock(StatusSource, {}),
    Layer.succeed(Control, {
      mode: given("mode"),
      close: given("close"),
      drain: given("drain"),
      resume: given("resume"),
    }),
  ]))
}

const port = Effect.map(address, (url) => Number(new URL(url).port))

describe("orders on the command line", () => {
  it.live("go to the running service, with who and why", () => {
    const orders: Array<unknown> = []
    return Effect.gen(function* () {
      const at = yield* port
      const until = "2999-12-31T18:00:00+01:00"
      const mode = yield* weir(
        ["mode", "be01", "hold", "--reason", "upgrade", "--until", until, "--by", "ada"],
        at,
      )
      assert.strictEqual(mode.stdout.trim(), "be01: stopped, mode hold (by ada until 1970-01-01T00:00:00.000Z)")
      const drain = yield* weir(["drain", "be01", "--by", "ada"], at)
      assert.include(drain.stdout, "in effect once what is in flight is settled")
      assert.deepStrictEqual([mode.code, drain.code], [0, 0])
      assert.deepStrictEqual(orders, [
        ["mode", "be01", { mode: "hold", reason: "upgrade", actor: "ada", until: "2999-12-31T17:00:00.000Z" }],
        ["drain", "be01", { actor: "ada" }],
      ])
      const unknown = yield* weir(["resume", "zz99"], at)
      assert.strictEqual(unknown.code, 2)
      assert.include(unknown.stderr, "zz99 is not in the configuration.")
    }).pipe(Effect.provide(service(orders)))
  }, SLOW)

  it.live("tell when an entity closes its books, and when that is over", () => {
    const orders: Array<unknown> = []
    return Effect.gen(function* () {
      const at = yield* port
      const why = ["--reason", "November close", "--by", "ada"]
      const begun = yield* weir(["close", "be01", "--until", "2999-12-31T18:00:00+01:00", ...why], at)
      assert.strictEqual(begun.stdout.trim(), "be01: closes its books until 1970-01-01T00:00:00.000Z (by ada)")
      assert.strictEqual((yield* weir(["close", "be01", "--end", ...why], at)).code, 0)
      assert.deepStrictEqual(orders, [
        ["close", "be01", { reason: "November close", actor: "ada", until: "2999-12-31T17:00:00.000Z" }],
        ["close", "be01", { reason: "November close", actor: "ada", until: null }],
      ])
      const neither = yield* weir(["close", "be01", ...why], at)
      assert.deepStrictEqual([neither.code, orders.length], [2, 2])
      assert.include(neither.stderr, "either --until or --end")
    }).pipe(Effect.provide(service(orders)))
  }, SLOW)

  it.live("need a reason, and a service", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* weir(["mode", "be01", "hold"], 9)).code, 2)
      const silent = yield* weir(["drain", "be01"], 9)
      assert.strictEqual(silent.code, 4)
      assert.include(silent.stderr, "weir run")
    }))
})

describe("the list of incidents", () => {
  it("counts from the detection", () => {
    const text = renderIncidents([{
      id: "odoo-0",
      entity: "be01",
      cause: "odoo",
      detectedAtMillis: 0,
      containedAtMillis: 2_500,
      restoredAtMillis: 600_000,
      steps: [{ atMillis: 600_000, what: "restored" }],
    }, {
      id: "tax-0",
      entity: "be02",
      cause: "tax",
      detectedAtMillis: 0,
      containedAtMillis: 0,
      restoredAtMillis: null,
      steps: [],
    }], plain)
    assert.deepStrictEqual(text.split("\n").map((line) => line.split(/ {2,}/u)), [
      ["ENTITY", "CAUSE", "DETECTED", "CONTAINED", "RESTORED", "LAST"],
      ["be01", "odoo", "1970-01-01T00:00:00Z", "2.5 s", "10.0 min", "restored"],
      ["be02", "tax", "1970-01-01T00:00:00Z", "0.0 s", "-"],
    ])
    assert.strictEqual(renderIncidents([], plain), "No incidents.")
  })
})
