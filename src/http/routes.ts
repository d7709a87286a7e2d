/** The API as routes: declaration, what every call goes through, handlers. */
import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "./Api.ts"
import * as Authentication from "./authentication.ts"
import { boundary } from "./boundary.ts"
import { archives } from "./handlers/archives.ts"
import { caller } from "./handlers/caller.ts"
import { configuration } from "./handlers/configuration.ts"
import { entities } from "./handlers/entities.ts"
import { amendments, exceptions, redrives } from "./handlers/exceptions.ts"
import { ledger } from "./handlers/ledger.ts"
import { periods } from "./handlers/periods.ts"
import { audit, incidents } from "./handlers/records.ts"
import { reconciliations } from "./handlers/reconciliations.ts"
import { replays } from "./handlers/replays.ts"
import { status } from "./handlers/status.ts"
import { tokens } from "./handlers/tokens.ts"
import * as Idempotency from "./idempotency.ts"
import * as Problems from "./problems.ts"

const handlers = Layer.mergeAll(
  caller,
  status,
  entities,
  exceptions,
  amendments,
  redrives,
  incidents,
  audit,
  periods,
  configuration,
  replays,
  reconciliations,
  ledger,
  archives,
  tokens,
)

/** Needs the operations, an `Authenticator` and the ledger's `Access`. */
export const apiRoutes = (options: { readonly callsPerMinute: number }) =>
  Layer.mergeAll(HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }), boundary).pipe(
    Layer.provide(handlers),
    Layer.provide([Problems.layer, Authentication.layer(options), Idempotency.layer]),
  )
