import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { RebuildRequest, RebuildView } from "../../operate/Rebuilding.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const params = { entity: Schema.String }
const under = "/entities/:entity/ledger/rebuilds" as const

export const LedgerGroup = HttpApiGroup.make("ledger").add(
  HttpApiEndpoint.post("rebuild", under, {
    params,
    headers,
    payload: RebuildRequest,
    success: RebuildView.pipe(HttpApiSchema.status(202)),
  }).annotateMerge(operation("ledger.rebuild")),
  HttpApiEndpoint.get("rebuilt", `${under}/:run`, {
    params: { ...params, run: Schema.String },
    success: RebuildView,
  }).annotateMerge(operation("ledger.rebuilt")),
)
