/** Errors as problem details (RFC 9457). */
import { HttpServerResponse } from "effect/http"

export const problem = (status: number, title: string, detail: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ type: "about:blank", title, status, detail }, {
    status,
    contentType: "application/problem+json",
  })
