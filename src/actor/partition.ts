/**
 * Several processes that own entities of one Odoo database share what Weir may ask of it: its part of the workers, its
 * calls a second. Who they are stands in the ledger; no process tells another.
 */
import { Duration, Effect, Schedule } from "effect"
import { type Ownership, Ledger } from "../ledger/Ledger.ts"
import { CallGate } from "../odoo/CallGate.ts"

/** An entity that moves has two owners' worth of calls for so long, at most. */
const LOOK = Duration.seconds(5)

/** By database: the processes that own entities of it. Pure. */
export const partiesOf = (
  owners: ReadonlyArray<Pick<Ownership, "entity" | "owner">>,
  entities: ReadonlyMap<string, { readonly database: string }>,
): ReadonlyMap<string, number> => {
  const parties = new Map<string, Set<string>>()
  for (const { entity, owner } of owners) {
    const database = entities.get(entity)?.database
    if (database === undefined) continue
    const known = parties.get(database)
    if (known === undefined) parties.set(database, new Set([owner]))
    else known.add(owner)
  }
  return new Map([...parties].map(([database, of]) => [database, of.size]))
}

/** Keeps to this process's part, until interrupted. A ledger that does not answer leaves it as it was. */
export const keepToPart = Effect.fnUntraced(function* (entities: ReadonlyMap<string, { readonly database: string }>) {
  const ledger = yield* Ledger
  const gate = yield* CallGate
  const look = ledger.owners.pipe(
    Effect.flatMap((owners) =>
      Effect.forEach(partiesOf(owners, entities), ([database, parties]) => gate.divide(database, parties), {
        discard: true,
      })
    ),
    Effect.timeout(LOOK),
    Effect.ignore({ log: "Debug" }),
  )
  return yield* Effect.repeat(look, Schedule.spaced(LOOK))
})
