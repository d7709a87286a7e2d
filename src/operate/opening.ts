/** How runs begin that are asked for at the desk: replays, proofs, rebuilds. */
import { Clock, Effect } from "effect"
import { randomBytes } from "node:crypto"
import type { NewRun, Runs } from "../ledger/Runs.ts"
import type { Actors } from "./Actors.ts"
import { asked } from "./asked.ts"

/** Of all parts of one order; ids are in the order of their time. */
export const newRunId: Effect.Effect<string> = Effect.map(
  Clock.currentTimeMillis,
  (now) => `${now.toString(36)}-${randomBytes(4).toString("hex")}`,
)

/** Opens the parts of an order, one of each legal entity, and has their actors take them up. `Unavailable`: see `takeUp`. */
export const opened = Effect.fnUntraced(function* (
  runs: Runs["Service"],
  actors: Actors["Service"],
  parts: ReadonlyArray<NewRun>,
) {
  const takeUp = Effect.forEach(parts, ({ entity }) => actors.takeUp(entity), { discard: true })
  // Whoever cannot carry it out says so before it stands.
  yield* takeUp
  yield* Effect.forEach(parts, (part) => runs.open(part).pipe(asked), { discard: true })
  yield* takeUp
})
