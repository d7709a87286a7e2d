import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Caller, rightsOfRole } from "../../operate/Caller.ts"
import { Api } from "../Api.ts"

export const caller = HttpApiBuilder.group(Api, "caller", (handlers) =>
  handlers.handleAll({
    show: () =>
      Effect.map(Caller, ({ by, entities, name, roles }) => ({
        name,
        by,
        roles,
        entities,
        rights: [...new Set(roles.flatMap((role) => rightsOfRole[role]))],
      })),
  }))
