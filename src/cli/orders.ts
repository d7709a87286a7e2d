/** Orders to a legal entity: what `mode`, `close`, `drain`, `resume` and `pause` share. */
import { Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { EntityCode } from "../../schemas/ids.ts"
import type { OrderAnswer } from "../operate/Entities.ts"

export const entityArgument = Argument.String("entity").pipe(
  Argument.withSchema(EntityCode),
  Argument.withDescription("Code of the legal entity, for example be01"),
)

export const reasonFlag = Flag.String("reason").pipe(
  Flag.withSchema(Schema.NonEmptyString),
  Flag.withDescription("Why, for the audit trail and for whoever listens"),
)

/** `--until`, a moment with its time zone. */
export const momentFlag = (description: string) =>
  Flag.String("until").pipe(
    Flag.withSchema(
      Schema.String.check(Schema.isPattern(/^\d{4}-\d{2}-\d{2}T.+(?:Z|[+-]\d{2}:\d{2})$/u)).pipe(
        Schema.decodeTo(Schema.DateTimeUtcFromString),
      ),
    ),
    Flag.withDescription(description),
    Flag.optional,
  )

export const untilFlag = momentFlag(
  "When it ends by itself, with time zone: 2026-12-31T18:00:00+01:00. Default: when it is lifted",
)

const untilOf = (millis: number | null): string => millis === null ? "" : ` until ${new Date(millis).toISOString()}`

/** One line about what the order led to. */
export const said = ({ done, entity, mode, override, paused, state }: OrderAnswer): string => {
  const by = override === null ? "decided by weir" : `by ${override.actor}${untilOf(override.untilMillis)}`
  const pauses = paused.map(({ actor, flow, untilMillis }) => `; ${flow} paused by ${actor}${untilOf(untilMillis)}`)
  const stands = `${state}, mode ${mode} (${by})${pauses.join("")}`
  return done
    ? `${entity}: ${stands}`
    : `${entity}: accepted, in effect once what is in flight is settled. Now: ${stands}`
}
