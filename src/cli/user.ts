/** Who runs a command, for the audit trail. */
import { userInfo } from "node:os"

/** The operating system's name of the user; in a container there may be none. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return process.env["USER"] ?? "unknown"
  }
}
