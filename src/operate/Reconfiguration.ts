/**
 * The configuration in force on the runner that is asked, and whether the others go by the same. Each runner reads its
 * own copy of the file; a reload here has every runner that owns an entity read its own.
 */
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { digestOf } from "../actor/LegalEntity.ts"
import { Roster } from "../actor/Roster.ts"
import { Live } from "../config/Live.ts"
import { Actors, nobody } from "./Actors.ts"
import { Admission } from "./Admission.ts"
import type { CallerIdentity } from "./Caller.ts"
import { type Forbidden, Invalid, type NotFound, type Unavailable } from "./Problem.ts"

/** RFC 3339. */
const Instant = Schema.String
const codes = Schema.Array(Schema.String)

const fields = {
  /** The file that was read; null without one. */
  file: Schema.NullOr(Schema.String),
  /** When it was read last and accepted. */
  takenAt: Instant,
  /** A later reading that was wrong: what was before goes on. */
  refused: Schema.NullOr(Schema.Struct({ at: Instant, problems: Schema.String })),
  /** Fields that differ from those in force and count after a restart of each runner. */
  restart: codes,
  /** Who goes by what. */
  entities: Schema.Array(Schema.Struct({
    entity: Schema.String,
    /** Process that owns it; empty: none answers. */
    owner: Schema.String,
    /**
     * `same`: as here. `different`: that runner has another file, or has not taken it up yet. `unknown`: nobody answers,
     * or an older release does.
     */
    configuration: Schema.Literals(["same", "different", "unknown"]),
    /** Why it is not the same; empty otherwise. */
    trouble: Schema.String,
  })),
}

export const ConfigurationView = Schema.Struct(fields).annotate({ identifier: "Configuration" })
export type ConfigurationView = typeof ConfigurationView.Type

export const Reloaded = Schema.Struct({
  ...fields,
  /** What this reading changed here: codes of legal entities, names of databases. */
  added: codes,
  removed: codes,
  changed: codes,
  databases: codes,
}).annotate({ identifier: "Reloaded" })
export type Reloaded = typeof Reloaded.Type

type Refused = Forbidden | NotFound | Unavailable

export class Reconfiguration extends Context.Service<Reconfiguration, {
  readonly show: (caller: CallerIdentity) => Effect.Effect<ConfigurationView, Refused>
  /** `Invalid` with every problem of the file: nothing was taken up. */
  readonly reload: (caller: CallerIdentity) => Effect.Effect<Reloaded, Refused | Invalid>
}>()("weir/operate/Reconfiguration") {}

const GOES_ON = "the one before goes on"
/** Runners told at the same time. */
const CONCURRENCY = 50

const instant = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

export const layer = Layer.effect(
  Reconfiguration,
  Effect.gen(function* () {
    const actors = yield* Actors
    const admission = yield* Admission
    const live = yield* Live
    const roster = yield* Roster

    const view = Effect.fnUntraced(function* (caller: CallerIdentity, troubles: ReadonlyMap<string, string>) {
      const { refused, taken } = yield* live.standing
      const statuses = yield* actors.statuses
      const entities = [...roster.entities.values()].filter(({ code }) => caller.entities?.includes(code) ?? true)
      return {
        file: taken.file,
        takenAt: instant(taken.atMillis),
        refused: refused === null ? null : { at: instant(refused.atMillis), problems: refused.error.told(GOES_ON) },
        restart: taken.restart,
        entities: entities.map((settings): ConfigurationView["entities"][number] => {
          const { configuration, owner = "" } = statuses.get(settings.code) ?? {}
          return {
            entity: settings.code,
            owner,
            configuration: configuration === undefined
              ? "unknown"
              : configuration === digestOf(settings)
              ? "same"
              : "different",
            trouble: troubles.get(settings.code) ?? "",
          }
        }),
      }
    })

    return Reconfiguration.of({
      show: Effect.fnUntraced(function* (caller) {
        yield* admission.enter(caller, "configuration.show", null)
        return yield* view(caller, new Map())
      }),

      reload: Effect.fnUntraced(function* (caller) {
        yield* admission.enter(caller, "configuration.reload", null)
        if (!actors.running) return yield* nobody
        const before = [...roster.entities.keys()]
        const { added, changed, databases, removed } = yield* live.reload.pipe(
          Effect.mapError((error) => new Invalid({ detail: error.told(GOES_ON) })),
        )
        // Those that are gone here run elsewhere until that runner knows.
        const everybody = [...new Set([...before, ...roster.entities.keys()])]
        const troubles = yield* Effect.forEach(
          everybody,
          (entity) => Effect.map(actors.reconfigure(entity), (trouble): [string, string] => [entity, trouble]),
          { concurrency: CONCURRENCY },
        )
        return { ...yield* view(caller, new Map(troubles)), added, removed, changed, databases }
      }),
    })
  }),
)
