/**
 * Logs on standard error: one JSON object a line, or lines for people on a terminal. Standard output belongs to the
 * commands' results.
 *
 * Payloads and secrets are never handed to a log; secrets are `Redacted` and print as such. What nevertheless gets long
 * is cut, so that no line can carry a document.
 */
import { Cause, Effect, Layer, Logger, type LogLevel, References } from "effect"

/** Longest text of one field of a log line, in characters. */
export const MAX_TEXT = 2_000

const cut = (text: string): string => text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text

const textOf = (part: unknown): string =>
  typeof part === "string"
    ? part
    : part instanceof Error
    ? `${part.name}: ${part.message}`
    : JSON.stringify(part) ?? String(part)

const plain = (value: unknown): unknown =>
  typeof value === "number" || typeof value === "boolean" || value === null ? value : cut(textOf(value))

interface Line {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly error: string | null
}

const lineOf = (options: Logger.Options<unknown>): Line => {
  const { cause, date, fiber, logLevel, message } = options
  const span = fiber.cache.span
  const parts = Array.isArray(message) ? message : [message]
  return {
    time: date.toISOString(),
    level: logLevel,
    message: cut(parts.map(textOf).join(" ")),
    fields: {
      ...Object.fromEntries(
        Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, value]) => [key, plain(value)]),
      ),
      ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
    },
    error: cause.reasons.length === 0 ? null : cut(Cause.pretty(cause)),
  }
}

/** A line as JSON: `time`, `level`, `message`, the annotations, `trace_id` and `span_id` when traced, `error`. */
export const formatJson = Logger.make((options): string => {
  const { error, fields, level, message, time } = lineOf(options)
  return JSON.stringify({ time, level, message, ...fields, ...(error === null ? {} : { error }) })
})

const colours: Readonly<Record<string, number>> = { Warn: 33, Error: 31, Fatal: 31, Info: 32 }

/** A line for people: time, level, message, annotations, error below. */
export const formatPretty = (colour: boolean) =>
  Logger.make((options): string => {
    const { error, fields, level, message, time } = lineOf(options)
    const shown = level.toUpperCase().padEnd(5)
    const tag = colour ? `\u001b[${colours[level] ?? 2}m${shown}\u001b[0m` : shown
    const context = Object.entries(fields).filter(([key]) => key !== "span_id").map(([key, value]) =>
      ` ${key}=${value}`
    )
    return `${time.slice(11, 23)} ${tag} ${message}${context.join("")}${error === null ? "" : `\n${error}`}`
  })

export interface LoggingOptions {
  /** Least severe level that is logged. */
  readonly level: LogLevel.LogLevel
  /** Lines for people instead of JSON. Default: when standard error is a terminal. */
  readonly pretty?: boolean
  /** No colours. Default: when `NO_COLOR` is set, https://no-color.org */
  readonly plain?: boolean
  /** Where lines go, with their line break. Default: standard error. */
  readonly write?: (line: string) => void
}

/** Replaces the default loggers. Log lines also become events of the current span when tracing is on. */
export const layer = (options: LoggingOptions): Layer.Layer<never> =>
  Layer.unwrap(Effect.sync(() => {
    const write = options.write ?? ((line: string) => void process.stderr.write(line))
    const pretty = options.pretty ?? process.stderr.isTTY === true
    const format = pretty ? formatPretty(!(options.plain ?? (process.env["NO_COLOR"] ?? "") !== "")) : formatJson
    return Layer.mergeAll(
      Logger.layer([Logger.map(format, (line) => write(`${line}\n`)), Logger.tracerLogger]),
      Layer.succeed(References.MinimumLogLevel, options.level),
    )
  }))
