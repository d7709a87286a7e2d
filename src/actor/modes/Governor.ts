/**
 * Decides the mode of an entity while a session lasts, and makes every change durable before it takes effect:
 *
 *     circuits, load ─► policy ─► automatic mode ─┐
 *     a person's override, until it expires ──────┴─► mode ─► pumps stop ─► ledger: mode, audit, incident, outbox
 *     a person's pause of a flow, until it expires ────────────► its pump ─────────┘        └─► pumps start
 */
import { Clock, Deferred, Duration, Effect, Latch } from "effect"
import type { Act, AuditEntry, FlowPause, Mode, ModeOverride, Standing } from "../../ledger/Governance.ts"
import { type Claim, Ledger, type LedgerError } from "../../ledger/Ledger.ts"
import { modeMeter } from "../../telemetry/Metrics.ts"
import { untilAvailable } from "../patience.ts"
import { type Conduct, ODOO } from "./Conduct.ts"
import { modeChanged } from "./modeChanged.ts"
import type { Paused } from "./Switchboard.ts"
import type { Load } from "./policy.ts"
import { Thresholds } from "./Thresholds.ts"

/** Who acts when no person does. */
export const WEIR = "weir"
/** Cause of incidents that no dependency is to blame for. */
export const OVERLOAD = "overload"
/** Wishes that may wait for what is in flight. */
const MAX_WISHES = 16

interface Asked {
  readonly actor: string
  readonly reason: string
}

/** A person's wish. `mode: "auto"` lifts the override. */
export type Wish =
  & Asked
  & (
    | { readonly _tag: "Mode"; readonly mode: Mode | "auto"; readonly untilMillis: number | null }
    | { readonly _tag: "Pause"; readonly flow: string; readonly untilMillis: number | null }
    | { readonly _tag: "Unpause"; readonly flow: string }
  )

export interface GovernorOptions {
  readonly claim: Claim
  readonly standing: Standing
  readonly pauses: ReadonlyArray<FlowPause>
  readonly conduct: Conduct
  /** Stops what mode and pauses do not let run; returns when it is idle. */
  readonly leave: (mode: Mode, paused: Paused) => Effect.Effect<void>
  readonly enter: (mode: Mode, paused: Paused) => Effect.Effect<void>
  /** Of the last window. Called once per window. */
  readonly load: Effect.Effect<Load>
  /** Told of every standing, the first one included. */
  readonly stands: (standing: Standing, pauses: ReadonlyArray<FlowPause>) => void
  /** Outbox rows were written. */
  readonly outbox: () => void
}

export interface Governor {
  /** Never ends by itself; fails when the entity has another owner. */
  readonly run: Effect.Effect<never, LedgerError>
  /** Records the commands that are noted and not yet recorded. */
  readonly note: Effect.Effect<void, LedgerError>
  /**
   * True when it is durable and in effect. Interrupting it does not take the wish back. False: the session ended before,
   * or too many wishes wait.
   */
  readonly wish: (wish: Wish) => Effect.Effect<boolean>
}

export const makeGovernor = Effect.fnUntraced(function* (options: GovernorOptions) {
  const { claim, conduct } = options
  const { incidents, policy } = conduct
  const ledger = yield* Ledger
  const thresholds = yield* Thresholds
  const meter = modeMeter(claim.entity)
  const windowMillis = Duration.toMillis(thresholds.window)
  const calmMillis = Duration.toMillis(thresholds.calm)
  const wishes: Array<{ readonly wish: Wish; readonly done: Deferred.Deferred<boolean> }> = []
  let standing = options.standing
  let pauses = options.pauses
  const paused = (): Paused => new Set(pauses.map(({ flow }) => flow))
  let acts = 0
  let ended = false
  let windowEndsMillis = (yield* Clock.currentTimeMillis) + windowMillis

  const id = (): string => `${claim.epoch}/${++acts}`

  const record = (entry: Omit<AuditEntry, "id">, change: Partial<Pick<Act, "standing" | "pauses" | "outbox">> = {}) =>
    Effect.suspend(() => {
      const changed = incidents.take()
      const act: Act = { entries: [{ id: id(), ...entry }], outbox: [], incidents: changed, ...change }
      return ledger.govern(claim, act).pipe(
        untilAvailable("mode"),
        Effect.onError(() => Effect.sync(() => incidents.giveBack(changed))),
        Effect.andThen(Effect.suspend(() => meter.incidents(incidents.open.length))),
      )
    })

  /** The new standing takes effect: what must stop stops first, then it becomes durable, then the rest starts. */
  const change = Effect.fnUntraced(function* (next: Standing, actor: string, reason: string) {
    const from = standing.mode
    const atMillis = yield* Clock.currentTimeMillis
    yield* options.leave(next.mode, paused())
    const { override } = next
    const event = modeChanged({
      entity: claim.entity,
      id: `${claim.epoch}-${acts + 1}`,
      atMillis,
      from,
      standing: next,
      actor,
      reason,
    })
    yield* record({
      actor,
      action: "mode.changed",
      detail: {
        from,
        to: next.mode,
        reason,
        override: override?.mode ?? null,
        until: override === null || override.untilMillis === null ? null : new Date(override.untilMillis).toISOString(),
      },
    }, { standing: next, outbox: [event] })
    standing = next
    options.stands(next, pauses)
    yield* options.enter(next.mode, paused())
    options.outbox()
    yield* meter.is(next.mode)
    yield* meter.changed(next.mode, actor === WEIR ? "weir" : "person")
    yield* Effect.logWarning(`mode ${from} -> ${next.mode} by ${actor}: ${reason}`)
  })

  /** The same for pauses: who is paused stops first, and who goes on starts when it is durable. */
  const repause = Effect.fnUntraced(function* (next: ReadonlyArray<FlowPause>, entry: Omit<AuditEntry, "id">) {
    yield* options.leave(standing.mode, new Set(next.map(({ flow }) => flow)))
    yield* record(entry, { pauses: next })
    pauses = next
    options.stands(standing, pauses)
    yield* options.enter(standing.mode, paused())
    yield* Effect.logWarning(`${entry.action} by ${entry.actor}: ${entry.detail["flow"]}, ${entry.detail["reason"]}`)
  })

  const without = (flow: string) => pauses.filter((pause) => pause.flow !== flow)
  const resumed = (flow: string, actor: string, reason: string) =>
    repause(without(flow), { actor, action: "flow.resumed", detail: { flow, reason } })

  /** What the policy makes of circuits and load; takes effect unless a person decided otherwise. */
  const automatic = Effect.fnUntraced(function* (now: number) {
    const openedAtMillis = conduct.odoo.openedAtMillis()
    const before = policy.mode
    let step = policy.circuit(now, openedAtMillis)
    if (now >= windowEndsMillis) {
      windowEndsMillis = now + windowMillis
      const load = yield* options.load
      if (step === null && openedAtMillis === null) step = policy.window(now, load)
    }
    if (step === null) return
    const { reason, sinceMillis, to } = step
    const { override } = standing
    const what = `mode ${to}${override === null ? "" : `, overridden by ${override.actor}`}: ${reason}`
    const entry = { atMillis: now, what }
    if (to === "essential") incidents.contained(OVERLOAD, sinceMillis, entry)
    else if (to === "hold") incidents.step(ODOO, entry)
    else {
      incidents.better(OVERLOAD, entry)
      if (before === "hold") incidents.better(ODOO, entry)
    }
    if (override === null) yield* change({ mode: to, override: null }, WEIR, reason)
    else {yield* record({
        actor: WEIR,
        action: "mode.overridden",
        detail: { automatic: to, mode: standing.mode, reason },
      })}
  })

  const expire = Effect.fnUntraced(function* (now: number) {
    const { override } = standing
    if (override === null || override.untilMillis === null || now < override.untilMillis) return
    yield* change({ mode: policy.mode, override: null }, WEIR, `the override of ${override.actor} expired`)
  })

  const expirePauses = Effect.fnUntraced(function* (now: number) {
    for (const { actor, flow, untilMillis } of pauses) {
      if (untilMillis === null || now < untilMillis) continue
      yield* resumed(flow, WEIR, `the pause of ${actor} expired`)
    }
  })

  const fulfil = Effect.fnUntraced(function* (wish: Wish) {
    const { actor, reason } = wish
    switch (wish._tag) {
      case "Mode": {
        const { mode, untilMillis } = wish
        const override: ModeOverride | null = mode === "auto" ? null : { mode, actor, reason, untilMillis }
        return yield* change({ mode: override?.mode ?? policy.mode, override }, actor, reason)
      }
      case "Pause": {
        const { flow, untilMillis } = wish
        const pause = { flow, actor, reason, sinceMillis: yield* Clock.currentTimeMillis, untilMillis }
        const until = untilMillis === null ? null : new Date(untilMillis).toISOString()
        const detail = { flow, reason, until }
        return yield* repause([...without(flow), pause], { actor, action: "flow.paused", detail })
      }
      case "Unpause":
        return paused().has(wish.flow) ? yield* resumed(wish.flow, actor, reason) : undefined
    }
  })

  const grant = Effect.fnUntraced(function* () {
    while (wishes.length > 0) {
      const { done, wish } = wishes[0]!
      yield* fulfil(wish)
      wishes.shift()
      yield* Deferred.succeed(done, true)
    }
  })

  /** Commands that are no modes. */
  const note = Effect.fnUntraced(function* () {
    while (conduct.notes.length > 0) {
      yield* record({ ...conduct.notes[0]!, detail: {} })
      conduct.notes.shift()
    }
  })

  const settleIncidents = Effect.fnUntraced(function* (now: number) {
    for (const incident of incidents.end(now, calmMillis)) {
      const { cause, detectedAtMillis, restoredAtMillis } = incident
      yield* record({
        actor: WEIR,
        action: "incident.restored",
        detail: { cause, lasted: Duration.format(Duration.millis((restoredAtMillis ?? now) - detectedAtMillis)) },
      })
      yield* Effect.logInfo(`incident ${incident.id} is over`)
    }
    if (incidents.dirty) {
      const causes = incidents.open.map(({ cause }) => cause).join(", ")
      yield* record({ actor: WEIR, action: "incident.updated", detail: { causes } })
    }
  })

  /** Milliseconds until something may be due by itself. */
  const pause = (now: number): number => {
    const times = [
      windowEndsMillis,
      policy.holdAtMillis(conduct.odoo.openedAtMillis()),
      standing.override?.untilMillis ?? null,
      ...pauses.map(({ untilMillis }) => untilMillis),
      incidents.endsAtMillis(calmMillis),
    ].filter((time) => time !== null)
    return Math.max(0, Math.min(...times) - now)
  }

  const run = Effect.gen(function* () {
    yield* meter.is(standing.mode)
    options.stands(standing, pauses)
    yield* options.enter(standing.mode, paused())
    while (true) {
      Latch.closeUnsafe(conduct.moved)
      const now = yield* Clock.currentTimeMillis
      // A clock that was set back makes no window longer.
      windowEndsMillis = Math.min(windowEndsMillis, now + windowMillis)
      yield* expire(now)
      yield* expirePauses(now)
      yield* note()
      yield* grant()
      yield* automatic(now)
      yield* settleIncidents(now)
      const rest = pause(yield* Clock.currentTimeMillis)
      yield* conduct.moved.await.pipe(Effect.timeoutOption(rest))
    }
  }).pipe(Effect.ensuring(Effect.suspend(() => {
    ended = true
    return Effect.forEach(wishes, ({ done }) => Deferred.succeed(done, false), { discard: true })
  })))

  const governor: Governor = {
    run,
    note: note(),
    wish: (wish) =>
      Effect.suspend(() => {
        if (ended || wishes.length >= MAX_WISHES) return Effect.succeed(false)
        const done = Deferred.makeUnsafe<boolean>()
        wishes.push({ wish, done })
        Latch.openUnsafe(conduct.moved)
        return Deferred.await(done)
      }),
  }
  return governor
})
