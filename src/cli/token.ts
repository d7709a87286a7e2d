/** `weir token`: API tokens, made, listed and ended; and who the caller is. */
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { IssuedToken, TokenView } from "../operate/Tokens.ts"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { jsonFlag } from "./root.ts"
import { instant, operation, pageFlags, pageLines, show } from "./show.ts"
import { type Column, table } from "./table.ts"

const roleNames = ["viewer", "operator", "approver", "admin"] as const

const create = Command.make(
  "create",
  {
    owner: Argument.String("owner").pipe(
      Argument.withDescription("Whose it is, a person or a program; the name in the audit trail"),
    ),
    role: Flag.Literals("role", roleNames).pipe(
      Flag.withDescription("What it may do; may be given several times"),
      Flag.atLeast(1),
    ),
    entity: Flag.String("entity").pipe(
      Flag.withDescription("Legal entity that it is limited to; may be given several times. Default: all"),
      Flag.atLeast(0),
    ),
    days: Flag.Int("days").pipe(Flag.withDescription("Days until it ends, up to 366. Default 90"), Flag.optional),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ days, entity, json, owner, role }) {
    const payload = { owner, roles: role, ...given({ days }), ...(entity.length === 0 ? {} : { entities: entity }) }
    yield* show(
      json,
      yield* ask(({ api }) => api.tokens.create({ payload })),
      ({ expiresAtMillis, token }: IssuedToken) =>
        `${token}\n\nShown this once. It ends on ${
          instant(expiresAtMillis)
        }. Use: WEIR_TOKEN=… weir …, or the header ` +
        "Authorization: Bearer …",
    )
  }),
).pipe(
  operation("tokens.create"),
  Command.withDescription("Make an API token; it is shown once"),
  Command.withExamples([
    { command: "weir token create ada --role operator --entity be01", description: "for one person and one entity" },
  ]),
)

const columns: ReadonlyArray<Column<TokenView>> = [
  { title: "ID", cell: ({ id }) => id },
  { title: "OWNER", cell: ({ owner }) => owner },
  { title: "ROLES", cell: ({ roles }) => roles.join(" ") },
  { title: "ENTITIES", cell: ({ entities }) => entities?.join(" ") ?? "all" },
  { title: "MADE BY", cell: ({ createdBy }) => createdBy },
  { title: "ENDS", cell: ({ expiresAtMillis }) => instant(expiresAtMillis) },
  { title: "LAST USED", cell: ({ lastUsedAtMillis }) => instant(lastUsedAtMillis) },
  { title: "REVOKED", cell: ({ revokedAtMillis, revokedBy }) => revokedBy ?? instant(revokedAtMillis) },
]

const list = Command.make(
  "list",
  { ...pageFlags, json: jsonFlag },
  Effect.fnUntraced(function* ({ after, json, limit }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.tokens.list({ query: given({ after, limit }) })),
      (page, paint) => pageLines(page, (tokens) => table(columns, tokens, paint), "There are no tokens."),
    )
  }),
).pipe(operation("tokens.list"), Command.withDescription("List API tokens; never their secrets"))

const revoke = Command.make(
  "revoke",
  {
    id: Argument.String("id").pipe(Argument.withDescription("Id of the token, as token list shows it")),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ id, json }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.tokens.revoke({ params: { id }, headers: {}, payload: {} })),
      ({ id, revoked }) => revoked ? `${id} is revoked.` : `${id} was revoked before.`,
    )
  }),
).pipe(operation("tokens.revoke"), Command.withDescription("End an API token at once"))

export const token = Command.make("token").pipe(
  Command.withDescription("API tokens: who may do what, for which legal entities, for how long"),
  Command.withSubcommands([create, list, revoke]),
)

export const whoami = Command.make(
  "whoami",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    yield* show(
      json,
      yield* ask(({ api }) => api.caller.show({})),
      ({ by, entities, name, rights, roles }) =>
        `${name} (${by}): ${roles.join(", ") || "no role"}; may ${rights.join(", ") || "do nothing"}; ` +
        `${entities === null ? "all legal entities" : entities.join(", ") || "no legal entity"}`,
    )
  }),
).pipe(operation("caller.show"), Command.withDescription("Show who you are to the service, and what you may do"))
