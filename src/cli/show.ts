/** How commands show what the API answered: lines for people, or JSON for programs. */
import { Console, Effect } from "effect"
import { Flag } from "effect/cli"
import process from "node:process"
import { Environment } from "../config/Secret.ts"
import { Operation, type OperationName } from "../operate/Operations.ts"
import { Command } from "effect/cli"
import { type Paint, paintFor } from "./table.ts"

/** Says which operation a command is. */
export const operation = (name: OperationName) => Command.annotate(Operation, name)

/** Writes `answer` on standard output. */
export const show = Effect.fnUntraced(
  function* <A>(json: boolean, answer: A, lines: (answer: A, paint: Paint) => string) {
    if (json) return yield* Console.log(JSON.stringify(answer))
    yield* Console.log(lines(answer, paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])))
  },
)

/** Flags of every list. */
export const pageFlags = {
  limit: Flag.Int("limit").pipe(Flag.withDescription("Rows at most, up to 500. Default 50"), Flag.optional),
  after: Flag.String("after").pipe(Flag.withDescription("Where the page before said that it goes on"), Flag.optional),
}

/** A page with what to say when it is empty, and where it goes on. */
export const pageLines = <A>(
  { items, next }: { readonly items: ReadonlyArray<A>; readonly next: string | null },
  lines: (items: ReadonlyArray<A>) => string,
  nothing: string,
): string => {
  if (items.length === 0) return nothing
  return next === null ? lines(items) : `${lines(items)}\n\nThere are more: --after ${next}`
}

/** `2026-12-31T18:00:00Z`, `-` for none. */
export const instant = (millis: number | null): string =>
  millis === null ? "-" : new Date(millis).toISOString().replace(/\.\d+Z$/u, "Z")
