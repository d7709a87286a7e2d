/** Orders to the running service: what `mode`, `close`, `drain` and `resume` share. */
import { Effect, Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { userName } from "./user.ts"
import { EntityCode } from "../../schemas/ids.ts"
import { ControlAnswer } from "../http/Control.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { loaded } from "./root.ts"
import { serviceUrl } from "./statusReport.ts"

/** Longer than the service waits before it answers that an order is under way. */
const SERVICE_TIMEOUT = "20 seconds"

export const entityArgument = Argument.String("entity").pipe(
  Argument.withSchema(EntityCode),
  Argument.withDescription("Code of the legal entity, for example be01"),
)

export const byFlag = Flag.String("by").pipe(
  Flag.withDescription("Who asks, for the audit trail. Default: the user of the operating system"),
  Flag.withDefault(userName()),
)

const Problem = Schema.Struct({ detail: Schema.String })

/** Gives an order to the service of this configuration. Nothing was done when it fails. */
export const order = Effect.fnUntraced(
  function* (
    entity: string,
    command: "mode" | "close" | "drain" | "resume",
    body: { readonly [name: string]: string | null },
  ) {
    const { configuration } = yield* loaded
    const url = serviceUrl(configuration)
    const response = yield* HttpClientRequest.post(`${url}/entities/${entity}/${command}`).pipe(
      HttpClientRequest.bodyJsonUnsafe(body),
      HttpClient.execute,
      Effect.timeout(SERVICE_TIMEOUT),
      Effect.mapError(() =>
        new CommandFailed({
          exit: exitCodes.unreachable,
          message: `No weir answers on ${url}. Start it with weir run; orders go to the running service.`,
        })
      ),
    )
    if (response.status >= 400) {
      const { detail } = yield* HttpClientResponse.schemaBodyJson(Problem)(response)
      return yield* new CommandFailed({
        exit: response.status === 400 || response.status === 404 ? exitCodes.usage : exitCodes.failure,
        message: detail,
      })
    }
    return yield* HttpClientResponse.schemaBodyJson(ControlAnswer)(response)
  },
  Effect.catchTags({
    SchemaError: () =>
      Effect.fail(new CommandFailed({ exit: exitCodes.failure, message: "The service answered something else." })),
    HttpClientError: (error) => Effect.fail(new CommandFailed({ exit: exitCodes.failure, message: error.message })),
  }),
  Effect.provide(FetchHttpClient.layer),
)

/** A moment with its time zone, as a flag. */
export const untilFlag = (description: string) =>
  Flag.String("until").pipe(
    Flag.withSchema(Schema.String.check(Schema.isPattern(/^\d{4}-\d{2}-\d{2}T.+(?:Z|[+-]\d{2}:\d{2})$/u))),
    Flag.withDescription(description),
    Flag.optional,
  )

/** One line about what the order led to. */
export const said = ({ done, entity, mode, override, state }: ControlAnswer): string => {
  const until = override === null || override.untilMillis === null
    ? ""
    : ` until ${new Date(override.untilMillis).toISOString()}`
  const by = override === null ? "decided by weir" : `by ${override.actor}${until}`
  return done
    ? `${entity}: ${state}, mode ${mode} (${by})`
    : `${entity}: accepted, in effect once what is in flight is settled. Now: ${state}, mode ${mode} (${by})`
}
