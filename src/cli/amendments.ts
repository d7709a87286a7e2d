/** `weir amendment`: corrections of exceptions, and who agrees to them. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ask } from "./door.ts"
import { amendmentLines, amendmentText } from "./exceptions/render.ts"
import { given } from "./given.ts"
import { reasonFlag } from "./orders.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, pageLines, show } from "./show.ts"

const list = Command.make(
  "list",
  {
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    state: Flag.Literals("state", ["proposed", "applied", "rejected", "outdated"]).pipe(
      Flag.withDescription("proposed: those that wait for an approver"),
      Flag.optional,
    ),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, ...filter }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.amendments.list({ query: given(filter) })),
      (page, paint) => pageLines(page, (items) => amendmentLines(items, paint), "No amendments."),
    )
  }),
).pipe(operation("amendments.list"), Command.withDescription("List corrections, newest first"))

const idArgument = Argument.Int("id").pipe(Argument.withDescription("Number of the amendment, as list shows it"))

const decision = (name: "approve" | "reject", description: string) =>
  Command.make(
    name,
    { id: idArgument, reason: reasonFlag, json: jsonFlag },
    Effect.fnUntraced(function* ({ id, json, reason }) {
      const request = { params: { id }, headers: {}, payload: { reason } }
      yield* show(json, yield* ask(({ api }) => api.amendments[name](request)), amendmentText)
    }),
  ).pipe(operation(`amendments.${name}`), Command.withDescription(description))

export const amendment = Command.make("amendment").pipe(
  Command.withDescription("Corrections of exceptions that wait for an approver, and those that are decided"),
  Command.withSubcommands([
    list,
    decision(
      "approve",
      "Let a correction of money through that somebody else proposed; the exception is tried again",
    ),
    decision("reject", "Reject a correction; the exception stays as it is"),
  ]),
)
