/** `weir exceptions`: what is held for people, found, understood and cleared. */
import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import process from "node:process"
import { ask } from "./door.ts"
import { fromFile, withFields } from "./exceptions/change.ts"
import { amendmentText, detailLines, exceptionLines, groupLines } from "./exceptions/render.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { given } from "./given.ts"
import { entityArgument, reasonFlag } from "./orders.ts"
import { type ReasonCode, reasons } from "../reason/Reason.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, pageLines, show } from "./show.ts"

const codes = Object.keys(reasons) as ReadonlyArray<ReasonCode>

const groupFlags = {
  entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
  flow: Flag.String("flow").pipe(Flag.withDescription("Of this flow only"), Flag.optional),
  code: Flag.Literals("code", codes).pipe(
    Flag.withDescription("With this code only (docs/exceptions.md)"),
    Flag.optional,
  ),
  fingerprint: Flag.String("fingerprint").pipe(
    Flag.withDescription("Of this cause only, as groups show it"),
    Flag.optional,
  ),
}
const filterFlags = {
  ...groupFlags,
  queue: Flag.Literals("queue", ["rejected", "references", "approvals"]).pipe(
    Flag.withDescription("rejected for good, missing references, or waiting for somebody's approval"),
    Flag.optional,
  ),
  state: Flag.Literals("state", ["parked", "waiting"]).pipe(
    Flag.withDescription("parked: exceptions. waiting: none yet. Default: parked"),
    Flag.optional,
  ),
  key: Flag.String("key").pipe(Flag.withDescription("Of this business key only"), Flag.optional),
  assignee: Flag.String("assignee").pipe(Flag.withDescription("Given to this person only"), Flag.optional),
}

const list = Command.make(
  "list",
  { ...filterFlags, ...pageFlags, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, ...filter }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.exceptions.list({ query: given(filter) })),
      (page, paint) => pageLines(page, (items) => exceptionLines(items, paint), "No exceptions."),
    )
  }),
).pipe(
  operation("exceptions.list"),
  Command.withDescription("List exceptions, newest first"),
  Command.withExamples([
    { command: "weir exceptions list --entity be01 --flow invoices", description: "one entity's invoices" },
    { command: "weir exceptions list --queue references", description: "what never came that they refer to" },
  ]),
)

const groups = Command.make(
  "groups",
  { ...groupFlags, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, ...filter }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.exceptions.groups({ query: given(filter) })),
      ({ items, total }, paint) =>
        items.length === 0
          ? "No exceptions."
          : `${groupLines(items, paint)}\n\n${total} exceptions in ${items.length} groups.`,
    )
  }),
).pipe(
  operation("exceptions.groups"),
  Command.withDescription("Count exceptions by entity, flow, code and cause; the cause without numbers and names"),
)

const eventArgument = Argument.String("event").pipe(Argument.withDescription("Id of the event, as list shows it"))
const eventsArgument = Argument.String("event").pipe(
  Argument.withDescription("Ids of events, as list shows them"),
  Argument.atLeast(1),
)

const one = Command.make(
  "show",
  { entity: entityArgument, event: eventArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, event, json }) {
    yield* show(json, yield* ask(({ api }) => api.exceptions.show({ params: { entity, event } })), detailLines)
  }),
).pipe(
  operation("exceptions.show"),
  Command.withDescription(
    "Show everything about one: cause, payload, what stands in Odoo, followers, history, and what is recommended",
  ),
)

const changedLine = ({ changed }: { readonly changed: number }): string =>
  changed === 1 ? "1 exception changed." : `${changed} exceptions changed.`

const retry = Command.make(
  "retry",
  { entity: entityArgument, events: eventsArgument, reason: reasonFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, events, json, reason }) {
    const request = { params: { entity }, headers: {}, payload: { events, reason } }
    yield* show(json, yield* ask(({ api }) => api.exceptions.retry(request)), changedLine)
  }),
).pipe(
  operation("exceptions.retry"),
  Command.withDescription("Try exceptions again; a whole group: weir redrive start"),
)

const dismiss = Command.make(
  "dismiss",
  { entity: entityArgument, events: eventsArgument, reason: reasonFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ entity, events, json, reason }) {
    const request = { params: { entity }, headers: {}, payload: { events, reason } }
    yield* show(json, yield* ask(({ api }) => api.exceptions.dismiss(request)), changedLine)
  }),
).pipe(
  operation("exceptions.dismiss"),
  Command.withDescription("Give exceptions up for good; later events of their keys go on"),
)

const assign = Command.make(
  "assign",
  {
    entity: entityArgument,
    events: eventsArgument,
    to: Flag.String("to").pipe(Flag.withDescription("Who looks after them. Default: nobody"), Flag.optional),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, events, json, to }) {
    const request = { params: { entity }, headers: {}, payload: { events, to: Option.getOrNull(to) } }
    yield* show(json, yield* ask(({ api }) => api.exceptions.assign(request)), changedLine)
  }),
).pipe(operation("exceptions.assign"), Command.withDescription("Give exceptions to somebody, or back to nobody"))

const note = Command.make(
  "note",
  {
    entity: entityArgument,
    event: eventArgument,
    text: Argument.String("text").pipe(Argument.withDescription("What whoever looks next should know")),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, event, json, text }) {
    const request = { params: { entity }, headers: {}, payload: { event, text } }
    yield* show(json, yield* ask(({ api }) => api.exceptions.note(request)), () => "Noted.")
  }),
).pipe(operation("exceptions.note"), Command.withDescription("Leave a word in the history of an exception"))

const edit = Command.make(
  "edit",
  {
    entity: entityArgument,
    event: eventArgument,
    set: Flag.String("set").pipe(
      Flag.withDescription("path=value in the data, for example totals.total=12.50; may be given several times"),
      Flag.atLeast(0),
    ),
    file: Flag.String("file").pipe(Flag.withDescription("JSON file with the whole data instead"), Flag.optional),
    reason: reasonFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ entity, event, file, json, reason, set }) {
    if (Option.isSome(file) === set.length > 0) {
      return yield* new CommandFailed({ exit: exitCodes.usage, message: "Give either --set or --file." })
    }
    const answer = yield* ask(({ api }) =>
      Effect.gen(function* () {
        const { payload } = yield* api.exceptions.show({ params: { entity, event } })
        const before = payload?.envelope?.["data"]
        if (payload === null || before === undefined) {
          return yield* new CommandFailed({ exit: exitCodes.failure, message: `${event} holds no data to correct.` })
        }
        const data = Option.isSome(file) ? yield* fromFile(file.value) : yield* withFields(before, set)
        const request = { event, data, hash: payload.hash, reason }
        return yield* api.exceptions.edit({ params: { entity }, headers: {}, payload: request })
      })
    )
    yield* show(json, answer, amendmentText)
  }),
).pipe(
  operation("exceptions.edit"),
  Command.withDescription(
    "Correct the data of an exception's event and try it again. What moves money waits for somebody else's approval",
  ),
  Command.withExamples([
    {
      command: `weir exceptions edit be01 "//crm#17" --set address.country=BE --reason "typing error at the source"`,
      description: "one field",
    },
  ]),
)

const exported = Command.make(
  "export",
  filterFlags,
  Effect.fnUntraced(function* (filter) {
    yield* ask(
      ({ api }) =>
        Effect.flatMap(
          api.exceptions.export({ query: given(filter) }),
          (bytes) =>
            Stream.runForEach(bytes, (chunk) =>
              Effect.promise(() =>
                new Promise<void>((resolve) => process.stdout.write(chunk, () => resolve()))
              )),
        ),
      null,
    )
  }),
).pipe(
  operation("exceptions.export"),
  Command.withDescription(
    "Write exceptions with their events, one a line (NDJSON), as much of them as you may see. weir publish reads such a file",
  ),
)

export const exceptions = Command.make("exceptions").pipe(
  Command.withDescription("What is held for people: find it, understand it, clear it"),
  Command.withSubcommands([list, groups, one, retry, edit, dismiss, assign, note, exported]),
)
