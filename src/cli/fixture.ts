/** `weir fixture`: scenarios, made or captured. */
import { Command } from "effect/cli"
import { capture } from "./fixture/capture.ts"
import { make } from "./fixture/make.ts"

export const fixture = Command.make("fixture").pipe(
  Command.withDescription("Scenarios for load tests: made out of a shape and a seed, or captured from a stream"),
  Command.withSubcommands([make, capture]),
)
