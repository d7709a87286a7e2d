import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { ReplayOrder, Upload } from "../../operate/replays/order.ts"
import { FindingPage, FindingQuery, ReplayPage, ReplayQuery, ReplayView } from "../../operate/replays/views.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const params = { run: Schema.String }
const payload = Schema.Struct({})
const accepted = ReplayView.pipe(HttpApiSchema.status(202))

export const ReplaysGroup = HttpApiGroup.make("replays").add(
  HttpApiEndpoint.get("list", "/replays", { query: ReplayQuery, success: ReplayPage })
    .annotateMerge(operation("replays.list")),
  HttpApiEndpoint.post("start", "/replays", { headers, payload: ReplayOrder, success: accepted })
    .annotateMerge(operation("replays.start")),
  HttpApiEndpoint.get("show", "/replays/:run", { params, success: ReplayView })
    .annotateMerge(operation("replays.show")),
  HttpApiEndpoint.get("findings", "/replays/:run/findings", { params, query: FindingQuery, success: FindingPage })
    .annotateMerge(operation("replays.findings")),
  HttpApiEndpoint.post("upload", "/replays/:run/events", { params, headers, payload: Upload, success: accepted })
    .annotateMerge(operation("replays.upload")),
  HttpApiEndpoint.post("apply", "/replays/:run/apply", { params, headers, payload, success: accepted })
    .annotateMerge(operation("replays.apply")),
  HttpApiEndpoint.post("release", "/replays/:run/release", { params, headers, payload, success: accepted })
    .annotateMerge(operation("replays.release")),
  HttpApiEndpoint.post("pause", "/replays/:run/pause", { params, headers, payload, success: ReplayView })
    .annotateMerge(operation("replays.pause")),
  HttpApiEndpoint.post("resume", "/replays/:run/resume", { params, headers, payload, success: accepted })
    .annotateMerge(operation("replays.resume")),
  HttpApiEndpoint.post("cancel", "/replays/:run/cancel", { params, headers, payload, success: ReplayView })
    .annotateMerge(operation("replays.cancel")),
)
