import { Effect, Schema, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Corrections } from "../../operate/Corrections.ts"
import { Exceptions } from "../../operate/Exceptions.ts"
import { ExportLine } from "../../operate/exceptions/views.ts"
import { Redriving } from "../../operate/Redriving.ts"
import { Api } from "../Api.ts"

const lineOf = Schema.encodeSync(Schema.fromJsonString(ExportLine))

export const exceptions = HttpApiBuilder.group(
  Api,
  "exceptions",
  Effect.fnUntraced(function* (handlers) {
    const exceptions = yield* Exceptions
    const corrections = yield* Corrections
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => exceptions.list(caller, query)),
      groups: ({ query }) => Caller.use((caller) => exceptions.groups(caller, query)),
      export: ({ query }) =>
        Caller.use((caller) => exceptions.export(caller, query)).pipe(
          // The head has gone out: what breaks now breaks the connection off.
          Effect.map((lines) => lines.pipe(Stream.map((line) => `${lineOf(line)}\n`), Stream.encodeText, Stream.orDie)),
        ),
      show: ({ params: { entity, event } }) => Caller.use((caller) => exceptions.show(caller, entity, event)),
      retry: ({ params: { entity }, payload }) => Caller.use((caller) => exceptions.retry(caller, entity, payload)),
      dismiss: ({ params: { entity }, payload }) => Caller.use((caller) => exceptions.dismiss(caller, entity, payload)),
      assign: ({ params: { entity }, payload }) => Caller.use((caller) => exceptions.assign(caller, entity, payload)),
      note: ({ params: { entity }, payload }) => Caller.use((caller) => exceptions.note(caller, entity, payload)),
      edit: ({ params: { entity }, payload }) => Caller.use((caller) => corrections.edit(caller, entity, payload)),
    })
  }),
)

export const amendments = HttpApiBuilder.group(
  Api,
  "amendments",
  Effect.fnUntraced(function* (handlers) {
    const corrections = yield* Corrections
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => corrections.list(caller, query)),
      approve: ({ params: { id }, payload: { reason } }) =>
        Caller.use((caller) => corrections.approve(caller, id, reason)),
      reject: ({ params: { id }, payload: { reason } }) =>
        Caller.use((caller) => corrections.reject(caller, id, reason)),
    })
  }),
)

export const redrives = HttpApiBuilder.group(
  Api,
  "redrives",
  Effect.fnUntraced(function* (handlers) {
    const redriving = yield* Redriving
    return handlers.handleAll({
      start: ({ payload }) => Caller.use((caller) => redriving.start(caller, payload)),
      list: ({ query }) => Caller.use((caller) => redriving.list(caller, query)),
      show: ({ params: { id } }) => Caller.use((caller) => redriving.show(caller, id)),
      cancel: ({ params: { id } }) => Caller.use((caller) => redriving.cancel(caller, id)),
    })
  }),
)
