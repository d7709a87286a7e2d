/** `weir redrive`: groups of exceptions, tried again in growing steps. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type ReasonCode, reasons } from "../reason/Reason.ts"
import { ask } from "./door.ts"
import { redriveLines } from "./exceptions/render.ts"
import { given } from "./given.ts"
import { entityArgument, reasonFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, pageLines, show } from "./show.ts"

const codes = Object.keys(reasons) as ReadonlyArray<ReasonCode>

const start = Command.make(
  "start",
  {
    entity: entityArgument,
    flow: Flag.String("flow").pipe(Flag.withDescription("Of this flow"), Flag.optional),
    code: Flag.Literals("code", codes).pipe(Flag.withDescription("With this code"), Flag.optional),
    fingerprint: Flag.String("fingerprint").pipe(
      Flag.withDescription("Of this cause, as exceptions groups shows it"),
      Flag.optional,
    ),
    reason: reasonFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ code, entity, fingerprint, flow, json, reason }) {
    const payload = { entity, reason, ...given({ code, fingerprint, flow }) }
    yield* show(
      json,
      yield* ask(({ api }) => api.redrives.start({ headers: {}, payload })),
      (run, paint) => redriveLines([run], paint),
    )
  }),
).pipe(
  operation("redrives.start"),
  Command.withDescription(
    "Try a group of exceptions again: 1, 2, 5, 20 … at a time, each step when the last one went through. Stops when the " +
      "same failure comes again. Covers what is an exception now",
  ),
  Command.withExamples([
    {
      command: `weir redrive start be01 --fingerprint 2c024f8a0068d1c3 --reason "the account is open again"`,
      description: "one cause",
    },
  ]),
)

const list = Command.make(
  "list",
  {
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    state: Flag.Literals("state", ["running", "finished", "stopped", "cancelled"]).pipe(
      Flag.withDescription("Only those"),
      Flag.optional,
    ),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, ...filter }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.redrives.list({ query: given(filter) })),
      (page, paint) => pageLines(page, (items) => redriveLines(items, paint), "No redrives."),
    )
  }),
).pipe(operation("redrives.list"), Command.withDescription("List redrives, newest first"))

const idArgument = Argument.Int("id").pipe(Argument.withDescription("Number of the redrive, as list shows it"))

const one = Command.make(
  "show",
  { id: idArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ id, json }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.redrives.show({ params: { id } })),
      (run, paint) => redriveLines([run], paint),
    )
  }),
).pipe(operation("redrives.show"), Command.withDescription("Show how far a redrive has got"))

const cancel = Command.make(
  "cancel",
  { id: idArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ id, json }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.redrives.cancel({ params: { id }, headers: {}, payload: {} })),
      (run, paint) => redriveLines([run], paint),
    )
  }),
).pipe(operation("redrives.cancel"), Command.withDescription("End a redrive; what is on its way goes on"))

export const redrive = Command.make("redrive").pipe(
  Command.withDescription("Groups of exceptions, tried again in growing steps"),
  Command.withSubcommands([start, list, one, cancel]),
)
