/** Status rows from the ledger's tallies, the broker's backlog and, where actors run, what they show of themselves. */
import { Clock, DateTime, Effect } from "effect"
import type { EntityStatus } from "../actor/Board.ts"
import { ODOO } from "../actor/modes/Conduct.ts"
import { type EntitySettings, flowsOf } from "../actor/Roster.ts"
import { Broker } from "../broker/Broker.ts"
import { type Flow, subjectOf } from "../flow/Flow.ts"
import { Ledger, type Tally } from "../ledger/Ledger.ts"
import type { StatusRow } from "./StatusReport.ts"

/** Questions for a backlog at the same time. */
const CONCURRENCY = 8
/** Longest wait for one backlog; the row then shows none. */
const BACKLOG_TIMEOUT = "2 seconds"

export interface StatusScope {
  /** Configured entities with their configured mode and flows. */
  readonly entities: ReadonlyMap<string, Pick<EntitySettings, "mode" | "flows">>
  readonly flows: ReadonlyArray<Pick<Flow, "name" | "domain" | "needs">>
  /** What the actors of this process or cluster say, by entity; empty when asked from outside. */
  readonly live: ReadonlyMap<string, EntityStatus>
}

const keyOf = (entity: string, flow: string): string => `${entity}/${flow}`

const none: Omit<Tally, "entity" | "flow"> = {
  applied: 0,
  superseded: 0,
  duplicate: 0,
  dismissed: 0,
  waiting: 0,
  parked: 0,
  behind: 0,
  ready: 0,
  checkpoint: 0,
  oldestHeldMillis: null,
}

/** `ada until 2026-12-31T18:00:00.000Z: year end` */
const decidedBy = (decision: EntityStatus["override"] | EntityStatus["close"]): string => {
  if (decision === null) return ""
  const { actor, reason, untilMillis } = decision
  return `${actor}${untilMillis === null ? "" : ` until ${new Date(untilMillis).toISOString()}`}: ${reason}`
}

/** `closed`, or `tax open`. */
const circuitOf = ({ needs = [] }: Pick<Flow, "needs">, circuits: EntityStatus["circuits"]): string => {
  const open = circuits.find(({ dependency, state }) =>
    state !== "closed" && (dependency === ODOO || needs.includes(dependency))
  )
  return open === undefined ? "closed" : `${open.dependency} ${open.state}`
}

/**
 * One row per entity and flow, in the order of configuration and catalogue. Fails when the ledger does not answer; a
 * broker that does not leaves its column empty.
 */
export const statusRows = Effect.fn("Status.rows")(function* ({ entities, flows, live }: StatusScope) {
  const ledger = yield* Ledger
  const broker = yield* Broker
  const [tallies, owners] = yield* Effect.all([ledger.tallies(), ledger.owners], { concurrency: 2 })
  const now = yield* Clock.currentTimeMillis
  const tallyOf = new Map(tallies.map((tally) => [keyOf(tally.entity, tally.flow), tally]))
  const ownerOf = new Map(owners.map((owner) => [owner.entity, owner]))
  const pairs = [...entities].flatMap(([entity, settings]) =>
    flowsOf(flows, settings).map((flow) => ({ entity, mode: settings.mode, flow }))
  )
  return yield* Effect.forEach(pairs, ({ entity, flow, mode }) =>
    Effect.gen(function* () {
      const tally = tallyOf.get(keyOf(entity, flow.name)) ?? none
      const owner = ownerOf.get(entity)
      const actor = live.get(entity)
      const line = actor?.flows.find((status) => status.flow === flow.name)
      const epoch = actor?.epoch || owner?.epoch || 0
      const backlog = yield* broker.backlog({
        entity,
        flow: flow.name,
        epoch,
        subject: subjectOf(entity, flow),
        afterSequence: Math.max(tally.checkpoint, line?.checkpoint ?? 0),
      }).pipe(Effect.timeout(BACKLOG_TIMEOUT), Effect.orElseSucceed(() => null))
      const oldest = tally.oldestHeldMillis
      const row: StatusRow = {
        entity,
        flow: flow.name,
        state: line?.state ?? actor?.state ?? "stopped",
        mode: actor?.mode ?? owner?.mode ?? mode,
        decided: decidedBy(actor?.override ?? null),
        paused: decidedBy(line?.paused ?? null),
        close: decidedBy(actor?.close ?? null),
        circuit: circuitOf(flow, actor?.circuits ?? []),
        incidents: actor?.incidents ?? 0,
        rebuilds: line?.rebuilds ?? 0,
        backlog,
        inFlight: line?.inFlight ?? 0,
        applied: tally.applied,
        superseded: tally.superseded,
        duplicate: tally.duplicate,
        dismissed: tally.dismissed,
        waiting: tally.waiting,
        parked: tally.parked,
        behind: tally.behind,
        ratePerSecond: line?.ratePerSecond ?? 0,
        oldestAgeSeconds: oldest === null ? null : Math.max(0, Math.floor((now - oldest) / 1_000)),
        epoch,
        owner: owner?.owner ?? "",
        since: owner === undefined ? null : DateTime.formatIso(DateTime.makeUnsafe(owner.claimedAtMillis)),
        trouble: line?.trouble || actor?.trouble || "",
        retrying: line?.retrying ?? 0,
        attempts: line?.attempts ?? 0,
        feedAgeSeconds: line?.feed?.seenAtMillis == null
          ? null
          : Math.max(0, Math.floor((now - line.feed.seenAtMillis) / 1_000)),
        feedTrouble: line?.feed?.trouble ?? "",
        nextTry: line?.nextTryMillis == null ? null : DateTime.formatIso(DateTime.makeUnsafe(line.nextTryMillis)),
      }
      return row
    }), { concurrency: CONCURRENCY })
})
