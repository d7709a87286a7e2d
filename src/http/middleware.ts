/**
 * What every call of the API goes through, from the outside in:
 *
 *     Boundary ─► Problems ─► Authentication ─► Idempotency ─► operation
 *     mistakes     a request    who asks, and     a call that
 *     of ours,     that is not  how often         was carried
 *     no route     understood                     out before
 *
 * Here are their keys, which the API's declaration needs; what they do is in a file each.
 */
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { Caller } from "../operate/Caller.ts"
import { problems } from "../operate/Problem.ts"

/** Every problem is declared here, once for all endpoints: any of them may answer with any. */
export class Problems extends HttpApiMiddleware.Service<Problems>()("weir/http/Problems", { error: problems }) {}

/** An API token or an issuer's access token; on this machine none is needed, unless the configuration says so. */
export class Authentication extends HttpApiMiddleware.Service<Authentication, { provides: Caller }>()(
  "weir/http/Authentication",
  { security: { bearer: HttpApiSecurity.bearer }, error: problems },
) {}

export class Idempotency extends HttpApiMiddleware.Service<Idempotency, { requires: Caller }>()(
  "weir/http/Idempotency",
  { error: problems },
) {}
