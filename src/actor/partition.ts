/**
 * Several processes that own entities of one Odoo database share what Weir may ask of it: its part of the workers, its
 * calls a second. Each entity stands for the same, so that it matters to none where it runs and with whom. Who owns what
 * stands in the ledger; no process tells another.
 */
import { Duration, Effect, Schedule } from "effect"
import { Ledger, type Ownership } from "../ledger/Ledger.ts"
import { CallGate } from "../odoo/CallGate.ts"
import { Roster } from "./Roster.ts"

/** Between two looks. An entity that moves has two owners' worth of calls for so long, at most. */
const LOOK = Duration.seconds(5)

/**
 * The part of each database that falls to `owner`: of the entities that are owned, those that it owns. Who owns none
 * gets one entity's part, for the first that it takes. Pure.
 */
export const partsOf = (
  owner: string,
  owners: ReadonlyArray<Pick<Ownership, "entity" | "owner">>,
  entities: ReadonlyMap<string, { readonly database: string }>,
): ReadonlyMap<string, number> => {
  const counts = new Map<string, { own: number; all: number }>()
  for (const { entity, owner: each } of owners) {
    const database = entities.get(entity)?.database
    if (database === undefined) continue
    const count = counts.get(database) ?? { own: 0, all: 0 }
    count.all++
    if (each === owner) count.own++
    counts.set(database, count)
  }
  return new Map([...counts].map(([database, { all, own }]) => [database, Math.max(1, own) / all]))
}

/** Keeps to this process's part, until interrupted. A ledger that does not answer leaves it as it was. */
export const keepToPart = Effect.gen(function* () {
  const roster = yield* Roster
  const ledger = yield* Ledger
  const gate = yield* CallGate
  const look = ledger.owners.pipe(
    Effect.flatMap((owners) =>
      Effect.forEach(
        partsOf(roster.owner, owners, roster.entities),
        ([database, part]) => gate.divide(database, part),
        {
          discard: true,
        },
      )
    ),
    Effect.timeout(LOOK),
    Effect.ignoreCause({ log: "Debug" }),
  )
  return yield* Effect.repeat(look, Schedule.spaced(LOOK))
})
