/**
 * The system user that runs the embedded PostgreSQL. PostgreSQL refuses to run as root, so that root starts it as user
 * `postgres`, who must be able to enter every folder above the data and the programs.
 */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { stat } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { PostgresError } from "./PostgresError.ts"

/** Empty: the user of this process. */
export type Account = { readonly uid: number; readonly gid: number } | Record<never, never>

const user = "postgres"
const commandTimeoutMillis = 10_000
const run = promisify(execFile)

const lookUp = async (): Promise<Account> => {
  const number = async (flag: string) =>
    Number.parseInt((await run("id", [flag, user], { timeout: commandTimeoutMillis })).stdout, 10)
  return { uid: await number("-u"), gid: await number("-g") }
}

/** Debian and Red Hat know the first, BusyBox the second. */
const create = async (): Promise<void> => {
  try {
    await run("useradd", ["--system", "--user-group", "--no-create-home", user], { timeout: commandTimeoutMillis })
  } catch {
    await run("adduser", ["-S", "-D", "-H", user], { timeout: commandTimeoutMillis })
  }
}

/** Root gets the account of user `postgres`, created when missing. Anybody else runs it as himself. */
export const account: Effect.Effect<Account, PostgresError> = Effect.suspend(() =>
  process.getuid?.() !== 0 ? Effect.succeed<Account>({}) : Effect.tryPromise({
    try: () => lookUp().catch(() => create().then(lookUp)),
    catch: (cause) =>
      new PostgresError({
        reason: "NotAllowed",
        message: `PostgreSQL does not run as root and a user "${user}" could not be created. Create it ` +
          `(useradd --system ${user}), or start Weir as another user.`,
        cause,
      }),
  })
)

/** Whether `owner` may enter a folder with this mode, by its owner, group or other bit. */
const enters = (owner: { uid: number; gid: number }, folder: { uid: number; gid: number; mode: number }): boolean =>
  (folder.mode & (folder.uid === owner.uid ? 0o100 : folder.gid === owner.gid ? 0o010 : 0o001)) !== 0

/** Fails with `NotAllowed` when `owner` cannot reach `path`: typically it lies below root's home folder. */
export const reachable = (owner: Account, path: string): Effect.Effect<void, PostgresError> =>
  Effect.gen(function* () {
    if (!("uid" in owner)) return
    for (let folder = dirname(resolve(path));; folder = dirname(folder)) {
      const found = yield* Effect.promise(() => stat(folder).catch(() => null))
      if (found !== null && !enters(owner, found)) {
        return yield* new PostgresError({
          reason: "NotAllowed",
          message:
            `User "${user}" may not enter ${folder}, above ${path}. Use a folder that it can reach, for example ` +
            `below /var/lib/weir, or give it the right (chmod o+x ${folder}).`,
        })
      }
      if (folder === dirname(folder)) return
    }
  })
