import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller } from "../../operate/Caller.ts"
import { Replays } from "../../operate/Replays.ts"
import { Api } from "../Api.ts"

export const replays = HttpApiBuilder.group(
  Api,
  "replays",
  Effect.fnUntraced(function* (handlers) {
    const replays = yield* Replays
    return handlers.handleAll({
      list: ({ query }) => Caller.use((caller) => replays.list(caller, query)),
      start: ({ payload }) => Caller.use((caller) => replays.start(caller, payload)),
      show: ({ params: { run } }) => Caller.use((caller) => replays.show(caller, run)),
      findings: ({ params: { run }, query }) => Caller.use((caller) => replays.findings(caller, run, query)),
      upload: ({ params: { run }, payload }) => Caller.use((caller) => replays.upload(caller, run, payload)),
      apply: ({ params: { run } }) => Caller.use((caller) => replays.apply(caller, run)),
      release: ({ params: { run } }) => Caller.use((caller) => replays.release(caller, run)),
      pause: ({ params: { run } }) => Caller.use((caller) => replays.pause(caller, run)),
      resume: ({ params: { run } }) => Caller.use((caller) => replays.resume(caller, run)),
      cancel: ({ params: { run } }) => Caller.use((caller) => replays.cancel(caller, run)),
    })
  }),
)
