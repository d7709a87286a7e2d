/** The command line. One file per command beside this one. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Option, Runtime } from "effect"
import { CliError, Command } from "effect/cli"
import { VERSION } from "../config/version.ts"
import * as Logging from "../telemetry/Logging.ts"
import { audit } from "./audit.ts"
import { close } from "./close.ts"
import { demo } from "./demo.ts"
import { doctor } from "./doctor.ts"
import { drain } from "./drain.ts"
import { exitCodes, interruption } from "./Failure.ts"
import { fixture } from "./fixture.ts"
import { incidents } from "./incidents.ts"
import { mode } from "./mode.ts"
import { period } from "./period.ts"
import { publish } from "./publish.ts"
import { resume } from "./resume.ts"
import { root } from "./root.ts"
import { run } from "./run.ts"
import { status } from "./status.ts"
import { surge } from "./surge.ts"

export const cli = root.pipe(
  Command.withSubcommands([
    run,
    publish,
    status,
    mode,
    close,
    drain,
    resume,
    incidents,
    audit,
    doctor,
    demo,
    period,
    fixture,
    surge,
  ]),
)

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
