/**
 * Where a `nats-server` comes from. No npm package carries it, so it is looked for, in this order:
 * 1. the environment variable NATS_SERVER_BIN, then `nats-server` on PATH;
 * 2. the project's own cache, `<cacheDir>/<version>/nats-server`;
 * 3. the official release archive of `PINNED_VERSION`, checked against the release's SHA-256 list, into the cache;
 * 4. the system's package manager (Debian, Ubuntu) into the cache: no root, nothing installed, lists of its own.
 *
 * Any version from 2.9 works.
 */
import { Config, Effect, Option, Schema } from "effect"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { access, chmod, constants, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises"
import { delimiter, join, resolve } from "node:path"
import { promisify } from "node:util"

/** The release that is downloaded when the machine has none. */
export const PINNED_VERSION = "2.12.1"
/** The oldest server Weir works with: Debian 12's package. */
export const OLDEST_VERSION = "2.9.0"

const CONNECT_TIMEOUT_MILLIS = 5_000
const DOWNLOAD_TIMEOUT_MILLIS = 120_000
const COMMAND_TIMEOUT_MILLIS = 120_000
/** More of a command's output than this is not read. */
const COMMAND_OUTPUT_BYTES = 4 * 1024 * 1024

export interface NatsBinary {
  /** Absolute path. */
  readonly path: string
  /** `2.9.10`, as the binary says itself. */
  readonly version: string
  readonly origin: "environment" | "path" | "cache" | "release" | "packages"
}

/** No way led to a server. Configuration: the message lists what was tried, why it failed and what to do. */
export class NatsBinaryMissing extends Schema.TaggedError<NatsBinaryMissing>()("NatsBinaryMissing", {
  message: Schema.String,
}) {}

const run = promisify(execFile)
const exec = (file: string, args: ReadonlyArray<string>, cwd: string | undefined, signal: AbortSignal) =>
  run(file, args, {
    signal,
    timeout: COMMAND_TIMEOUT_MILLIS,
    maxBuffer: COMMAND_OUTPUT_BYTES,
    ...(cwd === undefined ? {} : { cwd }),
  })

/** Asks the binary itself: `nats-server: v2.9.10`. */
const inspect = async (path: string, origin: NatsBinary["origin"], signal: AbortSignal): Promise<NatsBinary> => {
  const { stdout } = await exec(path, ["--version"], undefined, signal)
  const version = /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${path} --version does not answer with a version`)
  if (compareVersions(version, OLDEST_VERSION) < 0) {
    throw new Error(`${path} is version ${version}, at least ${OLDEST_VERSION} is needed`)
  }
  return { path, version, origin }
}

/** Negative when `a` is older than `b`. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/, 3).map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const fromPath = async (path: string, signal: AbortSignal): Promise<NatsBinary> => {
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const candidate = join(folder, "nats-server")
    const found = await access(candidate, constants.X_OK).then(() => true, () => false)
    if (found) return await inspect(candidate, "path", signal)
  }
  throw new Error("not on PATH")
}

const fromCache = async (cacheDir: string, signal: AbortSignal): Promise<NatsBinary> => {
  const versions = (await readdir(cacheDir).catch(() => [])).filter((name) => /^\d+\.\d+\.\d+$/.test(name))
  const newest = versions.sort((a, b) => compareVersions(b, a))[0]
  if (newest === undefined) throw new Error(`nothing in ${cacheDir}`)
  return await inspect(join(cacheDir, newest, "nats-server"), "cache", signal)
}

/** Moves a finished binary into the cache. Two processes may do it at once: the rename is atomic, either wins. */
const keep = async (
  cacheDir: string,
  file: string,
  origin: NatsBinary["origin"],
  signal: AbortSignal,
): Promise<NatsBinary> => {
  await chmod(file, 0o755)
  const { version } = await inspect(file, origin, signal)
  const folder = join(cacheDir, version)
  await mkdir(folder, { recursive: true })
  const staged = join(folder, `nats-server.${process.pid}`)
  await copyFile(file, staged)
  await chmod(staged, 0o755)
  await rename(staged, join(folder, "nats-server"))
  return { path: join(folder, "nats-server"), version, origin }
}

const inScratch = async (
  cacheDir: string,
  body: (scratch: string) => Promise<NatsBinary>,
): Promise<NatsBinary> => {
  await mkdir(cacheDir, { recursive: true })
  const scratch = await mkdtemp(join(cacheDir, "scratch-"))
  try {
    return await body(scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The deadline counts until the answer's head is there; the body has a longer one. */
const download = async (url: string, signal: AbortSignal): Promise<Uint8Array> => {
  const connect = new AbortController()
  const timer = setTimeout(() => connect.abort(new Error("no answer in 5 s")), CONNECT_TIMEOUT_MILLIS)
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, connect.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MILLIS)]),
    })
    clearTimeout(timer)
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
    return new Uint8Array(await answer.arrayBuffer())
  } finally {
    clearTimeout(timer)
  }
}

const platforms: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", freebsd: "freebsd" }
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "arm7", s390x: "s390x" }

const fromRelease = async (cacheDir: string, releases: string, signal: AbortSignal): Promise<NatsBinary> => {
  const [platform, architecture] = [platforms[process.platform], architectures[process.arch]]
  if (platform === undefined || architecture === undefined) {
    throw new Error(`no release archive for ${process.platform} on ${process.arch} that this can unpack`)
  }
  const name = `nats-server-v${PINNED_VERSION}-${platform}-${architecture}`
  const base = `${releases}/v${PINNED_VERSION}`
  const sums = new TextDecoder().decode(await download(`${base}/SHA256SUMS`, signal))
  const expected = sums.split("\n").map((line) => line.trim().split(/\s+\*?/)).find(([, file]) =>
    file === `${name}.tar.gz`
  )?.[0]
  if (expected === undefined) throw new Error(`the release's SHA256SUMS has no line for ${name}.tar.gz`)
  const archive = await download(`${base}/${name}.tar.gz`, signal)
  const actual = createHash("sha256").update(archive).digest("hex")
  if (actual !== expected) throw new Error(`SHA-256 of ${name}.tar.gz is ${actual}, the release says ${expected}`)
  return await inScratch(cacheDir, async (scratch) => {
    await writeFile(join(scratch, "archive.tar.gz"), archive)
    await exec("tar", ["-xzf", "archive.tar.gz"], scratch, signal)
    return await keep(cacheDir, join(scratch, name, "nats-server"), "release", signal)
  })
}

const fromPackages = (cacheDir: string, signal: AbortSignal): Promise<NatsBinary> =>
  inScratch(cacheDir, async (scratch) => {
    await mkdir(join(scratch, "lists/partial"), { recursive: true })
    await mkdir(join(scratch, "cache/archives/partial"), { recursive: true })
    const options = [
      `Dir::State::lists=${join(scratch, "lists")}`,
      `Dir::Cache=${join(scratch, "cache")}`,
      "Debug::NoLocking=1",
      // apt as root would otherwise hand downloads to user _apt, who may not enter this folder
      "APT::Sandbox::User=root",
      "Acquire::http::Timeout=5",
      "Acquire::https::Timeout=5",
      "Acquire::Retries=1",
      "Acquire::Languages=none",
    ].flatMap((option) => ["-o", option])
    await exec("apt-get", [...options, "-q", "update"], scratch, signal)
    await exec("apt-get", [...options, "-q", "download", "nats-server"], scratch, signal)
    const archive = (await readdir(scratch)).find((name) => name.endsWith(".deb"))
    if (archive === undefined) throw new Error("apt-get download left no package")
    await exec("dpkg-deb", ["-x", archive, "root"], scratch, signal)
    for (const folder of ["usr/bin", "usr/sbin"]) {
      const file = join(scratch, "root", folder, "nats-server")
      if (await access(file).then(() => true, () => false)) return await keep(cacheDir, file, "packages", signal)
    }
    throw new Error("the package holds no nats-server")
  })

const textOf = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split("\n").filter((line) => line.trim() !== "").slice(0, 3).join(" ").slice(0, 300)
}

export interface FindOptions {
  /** Where found servers are kept. Default `.cache/nats-server` in the working directory. */
  readonly cacheDir?: string
  /** Where releases lie, for a mirror. Default GitHub. */
  readonly releases?: string
}

/** Finds a server, or fetches one. Nothing is installed outside `cacheDir`. */
export const findNatsBinary = Effect.fn("NatsBinary.find")(function* (options: FindOptions = {}) {
  const cacheDir = resolve(options.cacheDir ?? join(".cache", "nats-server"))
  const releases = options.releases ?? "https://github.com/nats-io/nats-server/releases/download"
  // The process's own environment unless a test brings another: both variables are plain strings.
  const named = yield* Config.option(Config.String("NATS_SERVER_BIN")).pipe(Effect.orElseSucceed(Option.none))
  const path = yield* Config.String("PATH").pipe(Effect.orElseSucceed(() => ""))
  if (Option.isSome(named) && named.value !== "") {
    // Who names a server wants that one: no silent fall-back to another.
    return yield* Effect.tryPromise({
      try: (signal) => inspect(resolve(named.value), "environment", signal),
      catch: (cause) =>
        new NatsBinaryMissing({
          message: `NATS_SERVER_BIN=${named.value} cannot be used: ${textOf(cause)}. Correct the variable or unset it.`,
        }),
    })
  }
  const ways: ReadonlyArray<readonly [string, (signal: AbortSignal) => Promise<NatsBinary>]> = [
    ["PATH", (signal) => fromPath(path, signal)],
    ["cache", (signal) => fromCache(cacheDir, signal)],
    ["official release", (signal) => fromRelease(cacheDir, releases, signal)],
    ["apt-get download", (signal) => fromPackages(cacheDir, signal)],
  ]
  const failures: Array<string> = []
  for (const [name, way] of ways) {
    const found = yield* Effect.tryPromise({ try: way, catch: textOf }).pipe(Effect.result)
    if (found._tag === "Success") {
      if (found.success.origin === "release" || found.success.origin === "packages") {
        yield* Effect.logInfo(`nats-server ${found.success.version} fetched into ${found.success.path}`)
      }
      return found.success
    }
    failures.push(`- ${name}: ${found.failure}`)
  }
  return yield* new NatsBinaryMissing({
    message: [
      "No nats-server found. Tried:",
      ...failures,
      "Do one of these: set NATS_URL to a running NATS server with JetStream; install nats-server so that it is on PATH",
      "(apt install nats-server, brew install nats-server, https://github.com/nats-io/nats-server/releases);",
      `set NATS_SERVER_BIN to the binary; or put it at ${join(cacheDir, PINNED_VERSION, "nats-server")}.`,
    ].join("\n"),
  })
})
