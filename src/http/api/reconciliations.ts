import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { Reason } from "../../operate/Entities.ts"
import {
  MismatchPage,
  MismatchQuery,
  ReconciliationOrder,
  ReconciliationPage,
  ReconciliationQuery,
  ReconciliationView,
} from "../../operate/reconciliations/views.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const params = { run: Schema.String }
const at = "/reconciliations/:run" as const

export const ReconciliationsGroup = HttpApiGroup.make("reconciliations").add(
  HttpApiEndpoint.get("list", "/reconciliations", { query: ReconciliationQuery, success: ReconciliationPage })
    .annotateMerge(operation("reconciliations.list")),
  HttpApiEndpoint.post("start", "/reconciliations", {
    headers,
    payload: ReconciliationOrder,
    success: ReconciliationView.pipe(HttpApiSchema.status(202)),
  }).annotateMerge(operation("reconciliations.start")),
  HttpApiEndpoint.get("show", at, { params, success: ReconciliationView })
    .annotateMerge(operation("reconciliations.show")),
  HttpApiEndpoint.get("mismatches", `${at}/mismatches`, { params, query: MismatchQuery, success: MismatchPage })
    .annotateMerge(operation("reconciliations.mismatches")),
  HttpApiEndpoint.get("report", `${at}/report`, {
    params,
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/html; charset=utf-8" })),
  }).annotateMerge(operation("reconciliations.report")),
  HttpApiEndpoint.post("sign", `${at}/signature`, {
    params,
    headers,
    payload: Schema.Struct({ reason: Reason }),
    success: ReconciliationView,
  }).annotateMerge(operation("reconciliations.sign")),
  HttpApiEndpoint.post("cancel", `${at}/cancellation`, {
    params,
    headers,
    payload: Schema.Struct({}),
    success: ReconciliationView,
  }).annotateMerge(operation("reconciliations.cancel")),
)
