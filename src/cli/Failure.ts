/** How a command ends when it does not succeed, and what the shell then sees. */
import { Runtime, Schema } from "effect"
import { CliError } from "effect/cli"

/** Exit codes of all commands. Documented in `docs/cli.md` and in `weir --help`. */
export const exitCodes = {
  /** It worked. */
  ok: 0,
  /** It did not work. */
  failure: 1,
  /** The command line or the configuration is wrong; nothing was done. */
  usage: 2,
  /** A check of `weir doctor` failed, or `weir reconcile` found that something differs. */
  checkFailed: 3,
  /** Broker, ledger or Odoo cannot be reached. */
  unreachable: 4,
} as const
export type ExitCode = typeof exitCodes[keyof typeof exitCodes]

/** Shown as it is, without stack. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  exit: Schema.Literals([1, 2, 3, 4]),
  message: Schema.String,
}) {
  override get [Runtime.errorExitCode](): number {
    return this.exit
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Exit code when the user stops the command. `run` and `status --watch` end that way in good order: they set 0. */
export const interruption = { exitCode: 130 }
