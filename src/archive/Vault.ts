/**
 * Where archives are kept: files of lines under one folder, written so that a file under its own name is whole.
 *
 *     <directory>/<entity>/<kind>/<name>.ndjson        0600, folders 0700
 *                                 <name>.json          its manifest: rows, bytes, SHA-256, first and last time
 *
 *     .partial ──(written, flushed to the disk)──► renamed ──► folder flushed ──► read back and compared
 */
import { Context, Effect, Layer, Schema, Semaphore, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { type FileHandle, mkdir, open, rename, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Archive } from "../ledger/Archives.ts"

/** A file could not be written or read, or is not what was written: a person looks. The rows stay in the ledger. */
export class VaultError extends Schema.TaggedError<VaultError>()("VaultError", {
  operation: Schema.String,
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {
  readonly isRetryable = false
}

export type Place = Pick<Archive, "entity" | "kind" | "name">
export type Content = Pick<Archive, "rows" | "bytes" | "sha256">

/** One line and the time of its row, epoch milliseconds. */
export interface Line {
  readonly atMillis: number
  readonly text: string
}

export interface Written extends Content {
  readonly fromMillis: number
  readonly toMillis: number
}

/** The steps on the disk that may fail. Left to tests to replace. */
export interface Disk {
  readonly mkdir: (path: string) => Promise<unknown>
  readonly create: (path: string) => Promise<Pick<FileHandle, "write" | "sync" | "close">>
  readonly rename: (from: string, to: string) => Promise<void>
  /** Flushes a folder: the name of a new file is in it. */
  readonly flush: (folder: string) => Promise<void>
}

export const disk: Disk = {
  mkdir: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  create: (path) => open(path, "wx", 0o600),
  rename,
  flush: async (folder) => {
    const handle = await open(folder, "r")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

export class Vault extends Context.Service<Vault, {
  /** Null: none is configured, and nothing can be kept. */
  readonly directory: string | null
  /** Of archivings, in this process. */
  readonly turns: Semaphore.Semaphore
  /** Writes a file with its manifest, and reads it back. Null: there was no line, and there is no file. */
  readonly write: <E, R>(
    place: Place,
    lines: Stream.Stream<Line, E, R>,
  ) => Effect.Effect<Written | null, E | VaultError, R>
  /** Lines of a file in their order. */
  readonly lines: (place: Place) => Stream.Stream<string, VaultError>
  /** What is in a file, counted and hashed again. */
  readonly content: (place: Place) => Effect.Effect<Content, VaultError>
}>()("weir/archive/Vault") {}

/** Lines written at a time, about. */
const CHUNK_BYTES = 1 << 18
const FORMAT = 1
/** Archivings of a process at a time. */
const TURNS = 2

const failure = (operation: string, path: string) => (cause: unknown): VaultError =>
  new VaultError({
    operation,
    message: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  })

const attempt = <A>(operation: string, path: string, run: () => Promise<A>): Effect.Effect<A, VaultError> =>
  Effect.tryPromise({ try: run, catch: failure(operation, path) })

const isName = (name: string): boolean => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/u.test(name)

export const make = (directory: string, on: Disk = disk): typeof Vault.Service => {
  const pathOf = ({ entity, kind, name }: Place, suffix: string): string => {
    if (!isName(entity) || !isName(name)) throw new Error(`no name of an archive: ${entity}/${kind}/${name}`)
    return join(directory, entity, kind, `${name}.${suffix}`)
  }

  /** Under a name of its own until it is whole; a failure leaves nothing behind. */
  const whole = <A, E, R>(
    path: string,
    fill: (write: (text: string) => Effect.Effect<void, VaultError>) => Effect.Effect<A | null, E, R>,
  ): Effect.Effect<A | null, E | VaultError, R> => {
    const partial = `${path}.${randomBytes(4).toString("hex")}.partial`
    const discard = attempt("Vault.discard", partial, () => unlink(partial)).pipe(Effect.ignore)
    return Effect.gen(function* () {
      yield* attempt("Vault.write", path, () => on.mkdir(dirname(path)))
      const filled = yield* Effect.acquireUseRelease(
        attempt("Vault.write", path, () => on.create(partial)),
        (file) =>
          fill((text) => Effect.asVoid(attempt("Vault.write", path, () => file.write(text)))).pipe(
            Effect.tap(() => attempt("Vault.flush", path, () => file.sync())),
          ),
        (file) => attempt("Vault.close", path, () => file.close()),
      )
      if (filled === null) return yield* Effect.as(discard, null)
      yield* attempt("Vault.rename", path, () => on.rename(partial, path))
      yield* attempt("Vault.flush", path, () => on.flush(dirname(path)))
      return filled
    }).pipe(Effect.onError(() => discard))
  }

  const filled =
    <E, R>(lines: Stream.Stream<Line, E, R>) => (write: (text: string) => Effect.Effect<void, VaultError>) =>
      Effect.gen(function* () {
        const hash = createHash("sha256")
        let [rows, bytes, fromMillis, toMillis, waiting] = [0, 0, Infinity, 0, ""]
        const flush = Effect.suspend(() => {
          const text = waiting
          waiting = ""
          hash.update(text)
          bytes += Buffer.byteLength(text)
          return text === "" ? Effect.void : write(text)
        })
        yield* Stream.runForEachArray(lines, (chunk) =>
          Effect.suspend(() => {
            for (const { atMillis, text } of chunk) {
              rows++
              fromMillis = Math.min(fromMillis, atMillis)
              toMillis = Math.max(toMillis, atMillis)
              waiting += `${text}\n`
            }
            return waiting.length < CHUNK_BYTES ? Effect.void : flush
          }))
        yield* flush
        return rows === 0 ? null : { rows, bytes, fromMillis, toMillis, sha256: hash.digest("hex") }
      })

  const chunks = (path: string): Stream.Stream<Uint8Array, VaultError> =>
    Stream.unwrap(Effect.gen(function* () {
      const file = yield* Effect.acquireRelease(
        attempt("Vault.read", path, () => open(path, "r")),
        (file) => Effect.promise(() => file.close()),
      )
      return Stream.fromAsyncIterable(
        file.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>,
        failure("Vault.read", path),
      )
    }))

  const content = (place: Place) =>
    Effect.gen(function* () {
      const hash = createHash("sha256")
      let [rows, bytes] = [0, 0]
      yield* Stream.runForEach(chunks(pathOf(place, "ndjson")), (chunk) =>
        Effect.sync(() => {
          hash.update(chunk)
          bytes += chunk.length
          for (const byte of chunk) if (byte === 10) rows++
        }))
      return { rows, bytes, sha256: hash.digest("hex") }
    })

  return Vault.of({
    directory,
    turns: Semaphore.makeUnsafe(TURNS),
    write: Effect.fnUntraced(function* (place, lines) {
      const path = pathOf(place, "ndjson")
      const written: Written | null = yield* whole(path, filled(lines))
      if (written === null) return null
      const manifest = { format: FORMAT, ...place, ...written }
      yield* whole(pathOf(place, "json"), (write) => Effect.as(write(`${JSON.stringify(manifest, null, 2)}\n`), true))
      const found = yield* content(place)
      if (found.sha256 === written.sha256) return written
      return yield* new VaultError({ operation: "Vault.write", message: `${path} is not what was written` })
    }),
    lines: (place) =>
      chunks(pathOf(place, "ndjson")).pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.filter((line) => line !== ""),
      ),
    content,
  })
}

const none = new VaultError({
  operation: "Vault.open",
  message: "No archive is configured: add retention with a directory to weir.json and start again.",
})

/** Where nothing is kept. */
export const absent = Vault.of({
  directory: null,
  turns: Semaphore.makeUnsafe(TURNS),
  write: () => Effect.fail(none),
  lines: () => Stream.fail(none),
  content: () => Effect.fail(none),
})

/** `directory` undefined: none. */
export const layer = (directory: string | undefined): Layer.Layer<Vault> =>
  Layer.sync(Vault, () => directory === undefined ? absent : make(directory))
