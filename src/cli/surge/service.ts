/** What the running service tells of itself over HTTP. It may be away at any moment: then nothing is known. */
import { Effect } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { StatusReport } from "../../operate/StatusReport.ts"

const TIMEOUT = "2 seconds"

/** The text behind `url`; null when nobody answers in time. */
export const asked = (url: string): Effect.Effect<string | null> =>
  HttpClient.get(url).pipe(
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap((response) => response.text),
    Effect.timeout(TIMEOUT),
    Effect.orElseSucceed(() => null),
    Effect.provide(FetchHttpClient.layer),
  )

/** The status report of the service at `url`, asked for with a token where it wants one. */
export const statusOf = (url: string, token?: string): Effect.Effect<StatusReport | null> =>
  HttpClient.execute(
    HttpClientRequest.get(`${url}/v1/status`).pipe((request) =>
      token === undefined ? request : HttpClientRequest.bearerToken(request, token)
    ),
  ).pipe(
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(HttpClientResponse.schemaBodyJson(StatusReport)),
    Effect.timeout(TIMEOUT),
    Effect.orElseSucceed(() => null),
    Effect.provide(FetchHttpClient.layer),
  )

/** Sum of all series of a metric in Prometheus' text; null when it has none. */
export const sumOf = (metrics: string, name: string): number | null => {
  let sum: number | null = null
  for (const line of metrics.split("\n")) {
    const rest = line.startsWith(name) ? line.slice(name.length) : ""
    if (rest.startsWith("{") || rest.startsWith(" ")) sum = (sum ?? 0) + Number(rest.slice(rest.lastIndexOf(" ") + 1))
  }
  return sum
}
