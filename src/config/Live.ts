/**
 * The configuration in force: what a running process asks instead of the file. Legal entities and databases follow the
 * file while it runs; everything else counts from the start of the process, because connections, ports and signals hang
 * on it.
 *
 *     weir.json ──(watched, SIGHUP, weir configuration reload)──► load ──┬─ wrong: refused, the one before goes on
 *                                                                        └─ entities, databases ──► settings
 *
 * What did not change stays the same object, so that whoever uses it sees by identity that nothing has to be done.
 */
import { Clock, Context, Effect, Semaphore, SubscriptionRef } from "effect"
import type { Settings } from "./Configuration.ts"
import type { Loaded } from "./load.ts"
import type { ConfigurationInvalid } from "./Problem.ts"

/** What one reading of the file led to. */
export interface Taken {
  /** The file that was read, null without one. */
  readonly file: string | null
  readonly atMillis: number
  /** Codes of legal entities. */
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Themselves, or the database that they live in. */
  readonly changed: ReadonlyArray<string>
  /** Names of databases that are new, gone or described differently. */
  readonly databases: ReadonlyArray<string>
  /** Fields that differ from those in force and count after a restart only. */
  readonly restart: ReadonlyArray<string>
}

/** How the configuration stands. */
export interface Standing {
  /** The last reading that was accepted. */
  readonly taken: Taken
  /** The last one that was not, if it came after that. */
  readonly refused: { readonly atMillis: number; readonly error: ConfigurationInvalid } | null
}

export class Live extends Context.Service<Live, {
  /** In force now, and whenever it changes. */
  readonly settings: SubscriptionRef.SubscriptionRef<Settings>
  /** Reads the file and takes up what changed. One at a time; nothing changed is no change. */
  readonly reload: Effect.Effect<Taken, ConfigurationInvalid>
  readonly standing: Effect.Effect<Standing>
}>()("weir/config/Live") {}

/** Fields that are followed while the process runs. */
const followed: ReadonlySet<string> = new Set(["entities", "databases", "$schema"])

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** `next` with the objects of `before` where they say the same. */
const kept = <A>(before: Readonly<Record<string, A>>, next: Readonly<Record<string, A>>): Record<string, A> =>
  Object.fromEntries(
    Object.entries(next).map(([name, value]) => {
      const old = before[name]
      return [name, old !== undefined && same(old, value) ? old : value]
    }),
  )

/** What another place in Odoo means: whoever lives in it starts again. Shares, rates and keys are taken up as they go. */
const placeOf = (settings: Settings, code: string): unknown => {
  const database = settings.databases[settings.entities[code]?.database ?? ""]
  return database === undefined ? null : [database.url, database.database]
}

const regionsOf = ({ cluster, entities }: Settings): ReadonlySet<string> =>
  new Set(
    [...Object.values(entities).map(({ region }) => region), cluster?.region].filter((name) => name !== undefined),
  )

/** What `next` changes in what is in force, and what it would change if the process started again. */
const difference = (started: Settings, before: Settings, next: Settings): Omit<Taken, "file" | "atMillis"> => {
  const codes = Object.keys(next.entities)
  const names = new Set([...Object.keys(started), ...Object.keys(next)]) as ReadonlySet<keyof Settings>
  // Runners know the regions that there were when they started.
  const regions = regionsOf(started)
  const strangers = started.cluster === undefined ? [] : codes.filter((code) => {
    const region = next.entities[code]?.region
    return region !== undefined && !regions.has(region)
  })
  return {
    added: codes.filter((code) => before.entities[code] === undefined),
    removed: Object.keys(before.entities).filter((code) => next.entities[code] === undefined),
    changed: codes.filter((code) =>
      before.entities[code] !== undefined &&
      (before.entities[code] !== next.entities[code] || !same(placeOf(before, code), placeOf(next, code)))
    ),
    databases: [...new Set([...Object.keys(before.databases), ...Object.keys(next.databases)])].filter((name) =>
      before.databases[name] !== next.databases[name]
    ),
    restart: [
      ...[...names].filter((name) => !followed.has(name) && !same(started[name], next[name])),
      ...strangers.map((code) => `entities.${code}.region`),
    ],
  }
}

const nothing = { added: [], removed: [], changed: [], databases: [], restart: [] }

/**
 * Follows what `load` reads, from `loaded` on. `inForce` is what the process runs with: `loaded`'s configuration, or that
 * with what the command line says.
 */
export const follow = Effect.fnUntraced(function* (
  loaded: Pick<Loaded, "configuration" | "file">,
  inForce: Settings,
  load: Effect.Effect<Pick<Loaded, "configuration" | "file">, ConfigurationInvalid>,
) {
  const { configuration: started, file } = loaded
  const settings = yield* SubscriptionRef.make(inForce)
  const turn = yield* Semaphore.make(1)
  let standing: Standing = {
    taken: { file, atMillis: yield* Clock.currentTimeMillis, ...nothing },
    refused: null,
  }
  const reload = Effect.gen(function* () {
    const { configuration, file } = yield* load
    const before = SubscriptionRef.getUnsafe(settings)
    const next: Settings = {
      ...before,
      databases: kept(before.databases, configuration.databases),
      entities: kept(before.entities, configuration.entities),
    }
    const changes = difference(started, before, {
      ...configuration,
      databases: next.databases,
      entities: next.entities,
    })
    const taken = { file, atMillis: yield* Clock.currentTimeMillis, ...changes }
    standing = { taken, refused: null }
    yield* SubscriptionRef.set(settings, next)
    return taken
  }).pipe(
    Effect.tapError((error) =>
      Clock.currentTimeMillis.pipe(
        Effect.map((atMillis) => void (standing = { ...standing, refused: { atMillis, error } })),
      )
    ),
    turn.withPermit,
  )
  return Live.of({ settings, reload, standing: Effect.sync(() => standing) })
})

/** Settings that never change: of a command, of a test. */
export const fixed = (settings: Settings): Effect.Effect<typeof Live.Service> =>
  follow({ configuration: settings, file: null }, settings, Effect.succeed({ configuration: settings, file: null }))
