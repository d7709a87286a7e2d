/** The program `weir`. Its commands are in `commands.ts`, one file each. */
import "./plainFibers.ts"

import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Option, Runtime } from "effect"
import { CliError, Command } from "effect/cli"
import { VERSION } from "../config/version.ts"
import * as Logging from "../telemetry/Logging.ts"
import { cli } from "./commands.ts"
import { exitCodes, interruption } from "./Failure.ts"

/** The library ends a bad call with 1; that is what a failure has here. */
const teardown: Runtime.Teardown = (exit, onExit) => {
  if (Exit.isSuccess(exit)) return onExit(exitCodes.ok)
  if (Cause.hasInterruptsOnly(exit.cause)) return onExit(interruption.exitCode)
  const error = Option.getOrNull(Cause.findErrorOption(exit.cause))
  return CliError.isCliError(error) && error._tag === "ShowHelp"
    ? onExit(error.errors.length > 0 ? exitCodes.usage : exitCodes.ok)
    : Runtime.defaultTeardown(exit, onExit)
}

Command.run(cli, { version: VERSION }).pipe(
  Effect.provide([NodeServices.layer, Logging.layer({ level: "Warn" })]),
  NodeRuntime.runMain({ teardown }),
)
