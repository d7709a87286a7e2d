import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Role } from "../../operate/Caller.ts"
import { operation } from "../operation.ts"

export const CallerView = Schema.Struct({
  name: Schema.String,
  by: Schema.Literals(["local", "token", "oidc"]),
  roles: Schema.Array(Role),
  /** Null: all. */
  entities: Schema.NullOr(Schema.Array(Schema.String)),
  rights: Schema.Array(Schema.Literals(["read", "operate", "approve", "administer"])),
}).annotate({ identifier: "Caller" })

export const CallerGroup = HttpApiGroup.make("caller").add(
  HttpApiEndpoint.get("show", "/caller", { success: CallerView }).annotateMerge(operation("caller.show")),
)
