import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Redacted, Schema } from "effect"
import { layer, type LoggingOptions, MAX_TEXT } from "../../src/telemetry/Logging.ts"

const logged = (options: Omit<LoggingOptions, "write">, effect: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    yield* effect.pipe(Effect.provide(layer({ ...options, write: (line) => void lines.push(line) })))
    return lines
  })

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

describe("logs", () => {
  it.effect("are one JSON object a line with annotations and the cause", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        { level: "Info", pretty: false },
        Effect.logError("write failed", Cause.fail("boom")).pipe(Effect.annotateLogs({ entity: "be01", tries: 3 })),
      )
      assert.strictEqual(lines.length, 1)
      const line = decodeLine(lines[0] ?? "")
      assert.deepInclude(line, { level: "Error", message: "write failed", entity: "be01", tries: 3 })
      assert.include(line["error"], "boom")
      assert.isTrue((lines[0] ?? "").endsWith("\n"))
    }))

  it.effect("leave out what is less severe than the configured level", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        { level: "Warn", pretty: false },
        Effect.logInfo("quiet").pipe(Effect.andThen(Effect.logWarning("loud"))),
      )
      assert.deepStrictEqual(lines.map((line) => decodeLine(line)["message"]), ["loud"])
    }))

  it.effect("carry the trace id of the span they belong to", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        { level: "Info", pretty: false },
        Effect.logInfo("in a span").pipe(Effect.withSpan("s")),
      )
      assert.match(String(decodeLine(lines[0] ?? "")["trace_id"]), /^[0-9a-f]{32}$/u)
    }))

  it.effect("never show a secret, and cut what is too long for a line", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        { level: "Info", pretty: false },
        Effect.logInfo("key", Redacted.make("hunter2"), "x".repeat(MAX_TEXT * 2)).pipe(
          Effect.annotateLogs({ key: Redacted.make("hunter2") }),
        ),
      )
      assert.notInclude(lines.join(""), "hunter2")
      assert.isBelow(lines.join("").length, MAX_TEXT + 300)
    }))

  it.effect("are for people on a terminal, without colours when asked", () =>
    Effect.gen(function* () {
      const say = Effect.logWarning("slow").pipe(Effect.annotateLogs({ entity: "be01" }))
      const [plain] = yield* logged({ level: "Info", pretty: true, plain: true }, say)
      assert.match(plain ?? "", /^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow entity=be01\n$/u)
      const [coloured] = yield* logged({ level: "Info", pretty: true, plain: false }, say)
      assert.include(coloured, "\u001b[33m")
    }))
})
