/** All commands. One file each, beside this one. */
import { Command } from "effect/cli"
import { amendment } from "./amendments.ts"
import { archive } from "./archive.ts"
import { audit } from "./audit.ts"
import { close } from "./close.ts"
import { configuration } from "./configuration.ts"
import { demo } from "./demo.ts"
import { doctor } from "./doctor.ts"
import { drain } from "./drain.ts"
import { exceptions } from "./exceptions.ts"
import { fixture } from "./fixture.ts"
import { flow } from "./flow.ts"
import { incidents } from "./incidents.ts"
import { ledger } from "./ledger.ts"
import { mode } from "./mode.ts"
import { period } from "./period.ts"
import { publish } from "./publish.ts"
import { reconcile } from "./reconcile.ts"
import { reconciliations } from "./reconciliations.ts"
import { replay } from "./replay.ts"
import { replays } from "./replays.ts"
import { redrive } from "./redrive.ts"
import { resume } from "./resume.ts"
import { root } from "./root.ts"
import { run } from "./run.ts"
import { status } from "./status.ts"
import { surge } from "./surge.ts"
import { token, whoami } from "./token.ts"

export const cli = root.pipe(
  Command.withSubcommands([
    run,
    publish,
    status,
    mode,
    close,
    drain,
    resume,
    flow,
    exceptions,
    amendment,
    redrive,
    incidents,
    audit,
    period,
    configuration,
    replay,
    replays,
    reconcile,
    reconciliations,
    ledger,
    archive,
    token,
    whoami,
    doctor,
    demo,
    fixture,
    surge,
  ]),
)
