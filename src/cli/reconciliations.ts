/** `weir reconciliations`: proofs of completeness that were made, and who stands for them. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { runStates } from "../ledger/Runs.ts"
import { mismatchKinds } from "../reconcile/Account.ts"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { reasonFlag } from "./orders.ts"
import { written } from "./reconcile.ts"
import { listLines, mismatchLines, proofLines } from "./reconcileReport.ts"
import { jsonFlag } from "./root.ts"
import { operation, pageFlags, show } from "./show.ts"

const runArgument = Argument.String("run").pipe(Argument.withDescription("Id of the reconciliation"))
const entityFlag = Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional)

const list = Command.make(
  "list",
  {
    entity: entityFlag,
    state: Flag.Literals("state", runStates).pipe(Flag.withDescription("In this state only"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, ...query }) {
    yield* show(json, yield* ask(({ api }) => api.reconciliations.list({ query: given(query) })), listLines)
  }),
).pipe(operation("reconciliations.list"), Command.withDescription("List proofs, newest first"))

const showOne = Command.make(
  "show",
  { run: runArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, run }) {
    yield* show(json, yield* ask(({ api }) => api.reconciliations.show({ params: { run } })), proofLines)
  }),
).pipe(operation("reconciliations.show"), Command.withDescription("Show what a proof says, flow by flow"))

const mismatches = Command.make(
  "mismatches",
  {
    run: runArgument,
    entity: entityFlag,
    kind: Flag.Literals("kind", mismatchKinds).pipe(Flag.withDescription("Of this kind only"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, run, ...query }) {
    const page = yield* ask(({ api }) => api.reconciliations.mismatches({ params: { run }, query: given(query) }))
    yield* show(json, page, mismatchLines)
  }),
).pipe(
  operation("reconciliations.mismatches"),
  Command.withDescription("List what does not agree, event by event and record by record"),
)

const report = Command.make(
  "report",
  {
    run: runArgument,
    file: Flag.String("out").pipe(Flag.withDescription("Into this file. Default: standard output"), Flag.optional),
  },
  Effect.fnUntraced(function* ({ file, run }) {
    if (Option.isSome(file)) return yield* written(run, file.value)
    yield* show(false, yield* ask(({ api }) => api.reconciliations.report({ params: { run } })), (html) => html)
  }),
).pipe(operation("reconciliations.report"), Command.withDescription("A proof as a page for people"))

const sign = Command.make(
  "sign",
  { run: runArgument, reason: reasonFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, reason, run }) {
    const request = { params: { run }, headers: {}, payload: { reason } }
    yield* show(json, yield* ask(({ api }) => api.reconciliations.sign(request)), proofLines)
  }),
).pipe(
  operation("reconciliations.sign"),
  Command.withDescription("Stand for what a proof says, as somebody who did not ask for it"),
)

const cancel = Command.make(
  "cancel",
  { run: runArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ json, run }) {
    const request = { params: { run }, headers: {}, payload: {} }
    yield* show(json, yield* ask(({ api }) => api.reconciliations.cancel(request)), proofLines)
  }),
).pipe(operation("reconciliations.cancel"), Command.withDescription("End a proof that is being made"))

export const reconciliations = Command.make("reconciliations").pipe(
  Command.withDescription("Proofs of completeness that were made, and who stands for them"),
  Command.withSubcommands([list, showOne, mismatches, report, sign, cancel]),
)
