import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Month, PeriodApproval } from "../../operate/Periods.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

export const PeriodsGroup = HttpApiGroup.make("periods").add(
  HttpApiEndpoint.post("approve", "/entities/:entity/periods/:month/approval", {
    params: { entity: Schema.String, month: Month },
    headers,
    payload: Schema.Struct({}),
    success: PeriodApproval,
  }).annotateMerge(operation("period.approve")),
)
