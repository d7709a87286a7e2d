/** Checks of `weir doctor` on the folder of the archives. */
import { Effect } from "effect"
import { access, constants, stat } from "node:fs/promises"
import { dirname } from "node:path"
import type { Settings } from "../config/Configuration.ts"
import { fail, type Finding, ok, warn } from "./findings.ts"

const SECTION = "configuration"

/** Whether archives can be written, and whether others can read them. It writes nothing. */
export const archiveFindings = (
  { cluster, retention }: Pick<Settings, "cluster" | "retention">,
): Effect.Effect<ReadonlyArray<Finding>> => {
  if (retention === undefined) return Effect.succeed([])
  const { directory } = retention
  const looked = async (): Promise<ReadonlyArray<Finding>> => {
    const there = await stat(directory).catch(() => null)
    if (there === null) {
      await access(dirname(directory), constants.W_OK)
      return [ok(SECTION, "retention", `${directory} is made by the first archiving`)]
    }
    await access(directory, constants.W_OK | constants.R_OK | constants.X_OK)
    const open = (there.mode & 0o077) !== 0
    return [
      open
        ? warn(SECTION, "retention", `others may look into ${directory}`, `chmod 700 ${directory}: payloads lie there.`)
        : ok(SECTION, "retention", directory),
    ]
  }
  return Effect.tryPromise(looked).pipe(
    Effect.map((found) => [
      ...found,
      ...(cluster === undefined ? [] : [
        ok(SECTION, "retention", `${directory} has to be the same folder on every runner`),
      ]),
    ]),
    Effect.orElseSucceed(() => [
      fail(SECTION, "retention", `${directory} cannot be written`, "Make the folder, for Weir's user alone."),
    ]),
  )
}
