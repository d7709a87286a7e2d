import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { ArchiveOrder, ArchivePage, ArchiveQuery, ArchiveVerification, ArchivingView } from "../../operate/Archiving.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const params = { entity: Schema.String }
const under = "/entities/:entity/archivings" as const

export const ArchivesGroup = HttpApiGroup.make("archives").add(
  HttpApiEndpoint.get("list", "/archives", { query: ArchiveQuery, success: ArchivePage })
    .annotateMerge(operation("archives.list")),
  HttpApiEndpoint.post("start", under, {
    params,
    headers,
    payload: ArchiveOrder,
    success: ArchivingView.pipe(HttpApiSchema.status(202)),
  }).annotateMerge(operation("archives.start")),
  HttpApiEndpoint.get("show", `${under}/:run`, { params: { ...params, run: Schema.String }, success: ArchivingView })
    .annotateMerge(operation("archives.show")),
  HttpApiEndpoint.get("verify", "/entities/:entity/archives/verification", { params, success: ArchiveVerification })
    .annotateMerge(operation("archives.verify")),
)
