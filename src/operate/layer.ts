/** All operations, over the ports and the actors. One noun a file; this file lists them and nothing else. */
import { Layer } from "effect"
import * as Admission from "./Admission.ts"
import * as Archiving from "./Archiving.ts"
import * as Audit from "./Audit.ts"
import * as Corrections from "./Corrections.ts"
import * as Entities from "./Entities.ts"
import * as Exceptions from "./Exceptions.ts"
import * as Standing from "./exceptions/standing.ts"
import * as Incidents from "./Incidents.ts"
import * as Periods from "./Periods.ts"
import * as Rebuilding from "./Rebuilding.ts"
import * as Reconciliations from "./Reconciliations.ts"
import * as Reconfiguration from "./Reconfiguration.ts"
import * as Redriving from "./Redriving.ts"
import * as Replays from "./Replays.ts"
import * as Status from "./Status.ts"
import * as Tokens from "./Tokens.ts"

export const layer = Layer.mergeAll(
  Archiving.layer,
  Audit.layer,
  Corrections.layer,
  Entities.layer,
  Exceptions.layer,
  Incidents.layer,
  Periods.layer,
  Rebuilding.layer,
  Reconciliations.layer,
  Reconfiguration.layer,
  Redriving.layer,
  Replays.layer,
  Status.layer,
  Tokens.layer,
).pipe(Layer.provide([Admission.layer, Standing.layer]))
