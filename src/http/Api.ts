/**
 * The API: every operation as an endpoint. Declarations only, so that a client needs nothing of the server: the command
 * line is one. `handlers/` answers, `middleware.ts` says what every call goes through first.
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { VERSION } from "../config/version.ts"
import { ArchivesGroup } from "./api/archives.ts"
import { CallerGroup } from "./api/caller.ts"
import { ConfigurationGroup } from "./api/configuration.ts"
import { EntitiesGroup } from "./api/entities.ts"
import { AmendmentsGroup, ExceptionsGroup, RedrivesGroup } from "./api/exceptions.ts"
import { LedgerGroup } from "./api/ledger.ts"
import { PeriodsGroup } from "./api/periods.ts"
import { AuditGroup, IncidentsGroup } from "./api/records.ts"
import { ReconciliationsGroup } from "./api/reconciliations.ts"
import { ReplaysGroup } from "./api/replays.ts"
import { StatusGroup } from "./api/status.ts"
import { TokensGroup } from "./api/tokens.ts"
import { Authentication, Idempotency, Problems } from "./middleware.ts"

/** Path under which everything is; another number means that clients must change. */
export const PREFIX = "/v1"

// The first middleware is the innermost.
export const Api = HttpApi.make("weir").add(
  CallerGroup,
  StatusGroup,
  EntitiesGroup,
  ExceptionsGroup,
  AmendmentsGroup,
  RedrivesGroup,
  IncidentsGroup,
  AuditGroup,
  PeriodsGroup,
  ConfigurationGroup,
  ReplaysGroup,
  ReconciliationsGroup,
  LedgerGroup,
  ArchivesGroup,
  TokensGroup,
).middleware(Idempotency).middleware(Authentication).middleware(Problems).prefix(PREFIX).annotateMerge(
  OpenApi.annotations({
    title: "Weir",
    version: VERSION,
    description:
      "Operations on a running Weir. Errors are problem details (RFC 9457). Lists come in pages: pass `next` as `after`. " +
      "The same operations are commands of `weir`.",
  }),
)
