/** `docs/openapi.json`: the API as the service serves it under `/openapi.json`. */
import { OpenApi } from "effect/http-api"
import { Api } from "./Api.ts"

/** The document as text. */
export const document = (): string => `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`
