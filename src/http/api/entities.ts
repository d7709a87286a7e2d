import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import {
  CloseRequest,
  ModeRequest,
  OrderAccepted,
  OrderDone,
  PauseRequest,
  UnpauseRequest,
} from "../../operate/Entities.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

const success = [OrderDone, OrderAccepted.pipe(HttpApiSchema.status(202))] as const
const entity = { entity: Schema.String }
const flow = { ...entity, flow: Schema.String }
const nothing = Schema.Struct({})

export const EntitiesGroup = HttpApiGroup.make("entities").add(
  HttpApiEndpoint.post("mode", "/entities/:entity/mode", { params: entity, headers, payload: ModeRequest, success })
    .annotateMerge(operation("entity.mode")),
  HttpApiEndpoint.post("close", "/entities/:entity/close", { params: entity, headers, payload: CloseRequest, success })
    .annotateMerge(operation("entity.close")),
  HttpApiEndpoint.post("drain", "/entities/:entity/drain", { params: entity, headers, payload: nothing, success })
    .annotateMerge(operation("entity.drain")),
  HttpApiEndpoint.post("resume", "/entities/:entity/resume", { params: entity, headers, payload: nothing, success })
    .annotateMerge(operation("entity.resume")),
  HttpApiEndpoint.post("pause", "/entities/:entity/flows/:flow/pause", {
    params: flow,
    headers,
    payload: PauseRequest,
    success,
  }).annotateMerge(operation("flow.pause")),
  HttpApiEndpoint.post("unpause", "/entities/:entity/flows/:flow/resume", {
    params: flow,
    headers,
    payload: UnpauseRequest,
    success,
  }).annotateMerge(operation("flow.resume")),
)
