import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { AmendmentPage, AmendmentQuery, AmendmentView, DecideRequest, EditRequest } from "../../operate/Corrections.ts"
import {
  AssignRequest,
  Changed,
  DecisionRequest,
  ExceptionPage,
  ExceptionQuery,
  ExportQuery,
  GroupList,
  GroupQuery,
  NoteRequest,
} from "../../operate/Exceptions.ts"
import { ExceptionDetail } from "../../operate/exceptions/views.ts"
import { RedrivePage, RedriveQuery, RedriveRequest, RedriveView } from "../../operate/Redriving.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const params = { entity: Schema.String }
const id = { id: Schema.Int }
const success = Changed
const under = "/entities/:entity/exceptions" as const

/** Ids of events hold characters that paths have another use for: they are percent-encoded. */
const event = { ...params, event: Schema.String }

export const ExceptionsGroup = HttpApiGroup.make("exceptions").add(
  HttpApiEndpoint.get("list", "/exceptions", { query: ExceptionQuery, success: ExceptionPage })
    .annotateMerge(operation("exceptions.list")),
  HttpApiEndpoint.get("groups", "/exceptions/groups", { query: GroupQuery, success: GroupList })
    .annotateMerge(operation("exceptions.groups")),
  // Newline-delimited JSON; a line is an ExceptionExport.
  HttpApiEndpoint.get("export", "/exceptions/export", {
    query: ExportQuery,
    success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-ndjson" }),
  }).annotateMerge(operation("exceptions.export")),
  HttpApiEndpoint.get("show", `${under}/:event`, { params: event, success: ExceptionDetail })
    .annotateMerge(operation("exceptions.show")),
  HttpApiEndpoint.post("retry", `${under}/retry`, { params, headers, payload: DecisionRequest, success })
    .annotateMerge(operation("exceptions.retry")),
  HttpApiEndpoint.post("dismiss", `${under}/dismissal`, { params, headers, payload: DecisionRequest, success })
    .annotateMerge(operation("exceptions.dismiss")),
  HttpApiEndpoint.post("assign", `${under}/assignment`, { params, headers, payload: AssignRequest, success })
    .annotateMerge(operation("exceptions.assign")),
  HttpApiEndpoint.post("note", `${under}/note`, { params, headers, payload: NoteRequest, success })
    .annotateMerge(operation("exceptions.note")),
  HttpApiEndpoint.post("edit", `${under}/amendment`, { params, headers, payload: EditRequest, success: AmendmentView })
    .annotateMerge(operation("exceptions.edit")),
)

export const AmendmentsGroup = HttpApiGroup.make("amendments").add(
  HttpApiEndpoint.get("list", "/amendments", { query: AmendmentQuery, success: AmendmentPage })
    .annotateMerge(operation("amendments.list")),
  HttpApiEndpoint.post("approve", "/amendments/:id/approval", {
    params: id,
    headers,
    payload: DecideRequest,
    success: AmendmentView,
  }).annotateMerge(operation("amendments.approve")),
  HttpApiEndpoint.post("reject", "/amendments/:id/rejection", {
    params: id,
    headers,
    payload: DecideRequest,
    success: AmendmentView,
  }).annotateMerge(operation("amendments.reject")),
)

export const RedrivesGroup = HttpApiGroup.make("redrives").add(
  HttpApiEndpoint.post("start", "/redrives", {
    headers,
    payload: RedriveRequest,
    success: RedriveView.pipe(HttpApiSchema.status(202)),
  }).annotateMerge(operation("redrives.start")),
  HttpApiEndpoint.get("list", "/redrives", { query: RedriveQuery, success: RedrivePage })
    .annotateMerge(operation("redrives.list")),
  HttpApiEndpoint.get("show", "/redrives/:id", { params: id, success: RedriveView })
    .annotateMerge(operation("redrives.show")),
  HttpApiEndpoint.post("cancel", "/redrives/:id/cancellation", {
    params: id,
    headers,
    payload: Schema.Struct({}),
    success: RedriveView,
  }).annotateMerge(operation("redrives.cancel")),
)
