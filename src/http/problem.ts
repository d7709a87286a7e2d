/** Problems (RFC 9457) that arise before an operation is asked, as responses. */
import { HttpServerResponse, ProblemDetails } from "effect/http"

export const problem = (
  status: number,
  name: string,
  title: string,
  detail: string,
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ type: `urn:weir:problem:${name}`, status, title, detail }, {
    status,
    contentType: ProblemDetails.contentType,
  })
