/** `weir mode`: what a legal entity may do now. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { byFlag, entityArgument, order, said, untilFlag } from "./control.ts"
import { jsonFlag } from "./root.ts"

export const mode = Command.make(
  "mode",
  {
    entity: entityArgument,
    mode: Argument.Literals("mode", ["full", "essential", "drafts", "hold", "auto"]).pipe(
      Argument.withDescription("auto lifts what a person decided: Weir decides again"),
    ),
    reason: Flag.String("reason").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Why, for the audit trail and for whoever listens"),
    ),
    until: untilFlag("When Weir decides again, with time zone: 2026-12-31T18:00:00+01:00. Default: at `mode auto`"),
    by: byFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ by, entity, json, mode, reason, until }) {
    const answer = yield* order(entity, "mode", {
      mode,
      reason,
      actor: by,
      ...(Option.isSome(until) ? { until: until.value } : {}),
    })
    yield* Console.log(json ? JSON.stringify(answer) : said(answer))
  }),
).pipe(
  Command.withDescription("Decide what a legal entity may do: full, essential, drafts or hold; auto: Weir decides"),
  Command.withExamples([
    { command: `weir mode be01 hold --reason "Odoo upgrade"`, description: "nothing is written until mode auto" },
    { command: `weir mode be01 auto --reason "upgrade done"`, description: "Weir decides again" },
  ]),
)
