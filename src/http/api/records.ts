/** What was: incidents and the audit trail. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { AuditPage, AuditQuery, Verification, VerificationQuery } from "../../operate/Audit.ts"
import { IncidentPage, IncidentQuery } from "../../operate/Incidents.ts"
import { operation } from "../operation.ts"

export const IncidentsGroup = HttpApiGroup.make("incidents").add(
  HttpApiEndpoint.get("list", "/incidents", { query: IncidentQuery, success: IncidentPage }).annotateMerge(
    operation("incidents.list"),
  ),
)

const entity = { entity: Schema.String }

export const AuditGroup = HttpApiGroup.make("audit").add(
  HttpApiEndpoint.get("list", "/audit/:entity", { params: entity, query: AuditQuery, success: AuditPage })
    .annotateMerge(operation("audit.list")),
  HttpApiEndpoint.get("verify", "/audit/:entity/verification", {
    params: entity,
    query: VerificationQuery,
    success: Verification,
  }).annotateMerge(
    operation("audit.verify"),
  ),
)
