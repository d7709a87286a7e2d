/** Which legal entities and flows this Weir serves: those of now, because the configuration changes while it runs. */
import { Context, Effect, Layer, Stream, SubscriptionRef } from "effect"
import type { Settings } from "../config/Configuration.ts"
import { Live } from "../config/Live.ts"
import { VERSION } from "../config/version.ts"
import type { Flow } from "../flow/Flow.ts"
import { rulesOf } from "../flow/rules.ts"
import type { Mode } from "../ledger/Ledger.ts"
import type { Retention } from "../archive/policy.ts"
import type { Cutover } from "../odoo/Cutover.ts"
import type { LatePolicy } from "../odoo/Locks.ts"
import type { ProofSchedule } from "../reconcile/schedule.ts"
import type { ShadowSchedule } from "../replay/shadow.ts"
import type { CloseCalendar } from "./close/calendar.ts"
import type { FeedSettings } from "./feed/watching.ts"

/** A legal entity as configured: codes and names that Odoo's database ids are found by. */
export interface EntitySettings {
  /** `be01` */
  readonly code: string
  /** Name of the database in `weir.json`. */
  readonly database: string
  /** Region whose runners it runs on; left out: any. */
  readonly region?: string
  /** Names of the flows that it takes; left out: all. */
  readonly flows?: ReadonlyArray<string>
  /** `res.company` id. */
  readonly company: number
  readonly currency: string
  /** Journal codes by role. */
  readonly journals: Readonly<Record<string, string>>
  /** Odoo's tax, by id or exact name, by the source's tax code. */
  readonly taxes: Readonly<Record<string, number | string>>
  /** Account codes by the source's code or role. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Odoo's purchase tax likewise. */
  readonly purchaseTaxes?: Readonly<Record<string, number | string>>
  /** When it closes its books; left out: only when a person says so. */
  readonly close?: CloseCalendar
  /** When its months are proven complete; left out: only when a person asks. */
  readonly proof?: ProofSchedule
  readonly shadow?: ShadowSchedule
  readonly cutover?: Cutover
  /** What is done with documents dated in a locked period. */
  readonly latePolicy: LatePolicy
  /** Mode at the very first start; afterwards the ledger's counts. */
  readonly mode: Mode
}

export class Roster extends Context.Service<Roster, {
  /** Who claims: shown to operators. Host and process id. */
  readonly owner: string
  /**
   * Those of now, by code: to be asked each time. An entity's settings are the same object as long as nothing changes
   * that it has to start again for.
   */
  readonly entities: ReadonlyMap<string, EntitySettings>
  /** The catalogue. */
  readonly flows: ReadonlyArray<Flow>
  /** By which this Weir writes. */
  readonly rules: string
  /** How what people change in Odoo is looked at: to be asked when a session begins. */
  readonly feed: FeedSettings
  /** How long what is kept in the ledger; null: for ever. Counts from the start of the process. */
  readonly retention: Retention | null
  /** Waits until the settings of `code` are others than `than`. */
  readonly changed: (code: string, than: EntitySettings | undefined) => Effect.Effect<void>
}>()("weir/actor/Roster") {}

/** The flows that an entity takes, in the order of the catalogue. */
export const flowsOf = <F extends Pick<Flow, "name">>(
  flows: ReadonlyArray<F>,
  { flows: taken }: Pick<EntitySettings, "flows">,
): ReadonlyArray<F> => taken === undefined ? flows : flows.filter(({ name }) => taken.includes(name))

interface Known {
  readonly entity: Settings["entities"][string]
  readonly place: string
  readonly settings: EntitySettings
}

/** The roster that follows the configuration in force. */
export const following = (owner: string, flows: ReadonlyArray<Flow>): Layer.Layer<Roster, never, Live> =>
  Layer.effect(
    Roster,
    Effect.gen(function* () {
      const { settings: live } = yield* Live
      let seen: Settings | null = null
      let known: ReadonlyMap<string, Known> = new Map()
      let entities: ReadonlyMap<string, EntitySettings> = new Map()

      const current = (): ReadonlyMap<string, EntitySettings> => {
        const now = SubscriptionRef.getUnsafe(live)
        if (now === seen) return entities
        seen = now
        known = new Map(
          Object.entries(now.entities).map(([code, entity]): [string, Known] => {
            const database = now.databases[entity.database]
            const place = JSON.stringify([database?.url, database?.database])
            const before = known.get(code)
            return [
              code,
              before?.entity === entity && before.place === place
                ? before
                : { entity, place, settings: { code, ...entity } },
            ]
          }),
        )
        entities = new Map([...known].map(([code, { settings }]) => [code, settings]))
        return entities
      }
      return Roster.of({
        owner,
        flows,
        rules: rulesOf(VERSION, flows),
        get entities() {
          return current()
        },
        get feed() {
          return SubscriptionRef.getUnsafe(live).feed
        },
        get retention() {
          return SubscriptionRef.getUnsafe(live).retention ?? null
        },
        changed: (code, than) =>
          SubscriptionRef.changes(live).pipe(
            Stream.filter(() => current().get(code) !== than),
            Stream.take(1),
            Stream.runDrain,
          ),
      })
    }),
  )

/** Dependencies that the plans of a flow ask. */
export const askedBy = ({ events }: Flow): ReadonlyArray<string> =>
  events.flatMap(({ plan }) => plan.flatMap((step) => step._tag === "Enrich" ? [step.dependency] : []))
