import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { ConfigurationView, Reloaded } from "../../operate/Reconfiguration.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

export const ConfigurationGroup = HttpApiGroup.make("configuration").add(
  HttpApiEndpoint.get("show", "/configuration", { success: ConfigurationView }).annotateMerge(
    operation("configuration.show"),
  ),
  HttpApiEndpoint.post("reload", "/configuration/reload", {
    headers,
    payload: Schema.Struct({}),
    success: Reloaded,
  }).annotateMerge(operation("configuration.reload")),
)
