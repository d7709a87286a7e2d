import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { StatusReport } from "../../operate/StatusReport.ts"
import { operation } from "../operation.ts"

export const StatusGroup = HttpApiGroup.make("status").add(
  HttpApiEndpoint.get("show", "/status", {
    query: { entity: Schema.optionalKey(Schema.String) },
    success: StatusReport,
  }).annotateMerge(operation("status.show")),
)
