import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { IssuedToken, TokenPage, TokenQuery, TokenRequest, TokenRevoked } from "../../operate/Tokens.ts"
import { operation, orderHeaders as headers } from "../operation.ts"

export const TokensGroup = HttpApiGroup.make("tokens").add(
  HttpApiEndpoint.get("list", "/tokens", { query: TokenQuery, success: TokenPage }).annotateMerge(
    operation("tokens.list"),
  ),
  // No Idempotency-Key: its answer would have to be kept, and with it the secret.
  HttpApiEndpoint.post("create", "/tokens", {
    payload: TokenRequest,
    success: IssuedToken.pipe(HttpApiSchema.status(201)),
  }).annotateMerge(operation("tokens.create")),
  HttpApiEndpoint.post("revoke", "/tokens/:id/revocation", {
    params: { id: Schema.String },
    headers,
    payload: Schema.Struct({}),
    success: TokenRevoked,
  }).annotateMerge(operation("tokens.revoke")),
)
