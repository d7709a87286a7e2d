/** Publishes files of events: everything is checked before anything is sent. */
import { Effect, Result, Stream } from "effect"
import { createReadStream } from "node:fs"
import type { Readable } from "node:stream"
import { Broker, type BrokerError } from "../broker/Broker.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import type { Line, makeLineReader } from "./eventLine.ts"

/** Messages sent between two confirmations. */
const BATCH = 500
/** Standard input is kept in memory, because it is read twice. Characters. */
const MAX_STDIN = 256 * 1024 * 1024
/** Invalid lines that are told one by one; all are counted. */
export const MAX_TOLD = 20

/** Numbered lines that can be read again. */
export type Lines = Stream.Stream<readonly [number, string], CommandFailed>

const linesOf = (input: () => Readable, name: string): Lines =>
  Stream.fromAsyncIterable(
    { [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => input()[Symbol.asyncIterator]() },
    (cause) => new CommandFailed({ exit: exitCodes.failure, message: `Cannot read ${name}: ${String(cause)}` }),
  ).pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.zipWithIndex,
    Stream.map(([line, index]) => [index + 1, line] as const),
    Stream.filter(([, line]) => line.trim() !== ""),
  )

/** The lines of a file, read anew each time. */
export const fileLines = (path: string): Lines => linesOf(() => createReadStream(path), path)

/** The lines of standard input, kept in memory. */
export const stdinLines = (input: Readable): Effect.Effect<Lines, CommandFailed> =>
  linesOf(() => input, "standard input").pipe(
    Stream.mapAccum(
      () => 0,
      (size, line) => [size + line[1].length, [[size + line[1].length, line] as const]] as const,
    ),
    Stream.mapEffect(([size, line]) =>
      size <= MAX_STDIN ? Effect.succeed(line) : Effect.fail(
        new CommandFailed({
          exit: exitCodes.usage,
          message: `Standard input has more than ${MAX_STDIN} characters. Publish from a file.`,
        }),
      )
    ),
    Stream.runCollect,
    Effect.map((lines) => Stream.fromArray(lines)),
  )

export interface InvalidLine {
  readonly line: number
  readonly problem: string
}

export interface Survey {
  readonly valid: number
  readonly byFlow: Readonly<Record<string, number>>
  readonly invalid: number
  /** The first invalid lines, at most `MAX_TOLD`. */
  readonly problems: ReadonlyArray<InvalidLine>
}

type Read = ReturnType<typeof makeLineReader>

/** Reads all lines and counts what they are. Sends nothing. */
export const survey = (lines: Lines, read: Read): Effect.Effect<Survey, CommandFailed> =>
  Effect.suspend(() => {
    const byFlow: Record<string, number> = {}
    const problems: Array<InvalidLine> = []
    let valid = 0
    let invalid = 0
    return Stream.runForEach(lines, ([number, text]) =>
      Effect.sync(() => {
        const line = read(text)
        if (Result.isSuccess(line)) {
          valid++
          byFlow[line.success.flow] = (byFlow[line.success.flow] ?? 0) + 1
        } else if (invalid++ < MAX_TOLD) problems.push({ line: number, problem: line.failure })
      })).pipe(Effect.map(() => ({ valid, byFlow, invalid, problems })))
  })

export interface Sent {
  /** Stored by the broker. */
  readonly published: number
  /** Dropped by the broker, which had the same message id a moment ago. */
  readonly duplicates: number
}

/** Sends the valid lines in order. When it fails midway, sending the same file again is safe: ids stay the same. */
export const send = (lines: Lines, read: Read): Effect.Effect<Sent, CommandFailed | BrokerError, Broker> =>
  Effect.gen(function* () {
    const broker = yield* Broker
    let published = 0
    let duplicates = 0
    yield* lines.pipe(
      Stream.map(([, text]) => read(text)),
      Stream.filterMap((line): Result.Result<Line, unknown> => line),
      Stream.grouped(BATCH),
      Stream.runForEach((batch) =>
        broker.publish(batch.map(({ publication }) => publication)).pipe(
          Effect.map((confirmations) => {
            for (const { duplicate } of confirmations) duplicate ? duplicates++ : published++
          }),
          Effect.mapError((error) =>
            published + duplicates === 0 ? error : new CommandFailed({
              exit: exitCodes.unreachable,
              message: `Stopped after ${published + duplicates} events: ${error.message} ` +
                "Publish the same file again: events keep their ids and are not booked twice.",
            })
          ),
        )
      ),
    )
    return { published, duplicates }
  })
