/**
 * The actor: one per legal entity, wherever the cluster places it. Its messages are the control plane; events never
 * travel through them. Its scope holds the session.
 *
 *     starting ──► running ◄──► troubled
 *        ▲           │ Drain, shutdown
 *        │           ▼
 *     (Resume) ◄── draining ──► stopped            fenced ──(pause)──► starting
 *
 * Its configuration may change under it: what is in flight is settled as it was begun, then it starts again with the new
 * one, at a new epoch. Out of the configuration it stands still until the cluster lets it passivate.
 *
 * The cluster places and supervises; that there is only one owner is the ledger's epoch.
 */
import { Cause, Deferred, Duration, Effect, Latch, Schema } from "effect"
import { ClusterSchema, Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { createHash } from "node:crypto"
import { Live } from "../config/Live.ts"
import type { Standing } from "../ledger/Governance.ts"
import { isFenced } from "../ledger/Ledger.ts"
import { EntityStatus } from "./Board.ts"
import { duties } from "./duties.ts"
import { type Conduct, makeConduct, ODOO } from "./modes/Conduct.ts"
import type { Wish } from "./modes/Governor.ts"
import { restartBackoff } from "./patience.ts"
import { addressOf, codeIn, regionIn } from "./place.ts"
import { askedBy, type EntitySettings, flowsOf, Roster } from "./Roster.ts"
import { session, type SessionBoard } from "./Session.ts"
import { Shutdown } from "./Shutdown.ts"

const Mode = Schema.Literals(["full", "essential", "drafts", "hold", "shadow", "auto"])
/** Who asks. Default: `operator`. */
const Actor = Schema.optionalKey(Schema.NonEmptyString)

/** It was not done, and is not going to be done by itself. */
export class ControlRefused extends Schema.TaggedError<ControlRefused>()("ControlRefused", {
  message: Schema.String,
}) {}

/** What an actor goes by. */
export const Configured = Schema.Struct({
  /** The process that has it. */
  owner: Schema.String,
  /** Whether its configuration has it; it does not run otherwise. */
  configured: Schema.Boolean,
  /** The same for the same settings. */
  digest: Schema.String,
})
export type Configured = typeof Configured.Type

/** A short name for what an entity is configured with; empty: it is not. */
export const digestOf = (settings: EntitySettings | undefined): string =>
  settings === undefined ? "" : createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12)

/** Addressed by `addressOf` its settings. */
export const LegalEntity = Entity.make("LegalEntity", [
  /** Keeps it active; sent by the registrar. */
  Rpc.make("Ensure"),
  /** The runner that has it reads its configuration anew. A configuration that is wrong is refused. */
  Rpc.make("Reconfigure", { success: Configured, error: ControlRefused }),
  Rpc.make("Status", { success: EntityStatus }),
  /** The ledger has ready events that it did not make ready itself. Without it they are found a little later. */
  Rpc.make("Released"),
  /**
   * A person's mode, which goes before all automatic steps until it expires or is lifted by `auto`. Takes effect, and
   * answers, once what is in flight and has to stop is settled; giving up on the answer does not take it back.
   */
  Rpc.make("SetMode", {
    payload: {
      mode: Mode,
      actor: Actor,
      reason: Schema.optionalKey(Schema.String),
      /** Epoch milliseconds; null or left out: until it is lifted. */
      untilMillis: Schema.optionalKey(Schema.NullOr(Schema.Int)),
    },
    success: EntityStatus,
    error: ControlRefused,
  }),
  /**
   * A person says that the entity closes its books until then, or (null) that this is over; the calendar counts beside it.
   * Answers once it is durable and in effect.
   */
  Rpc.make("Close", {
    payload: { untilMillis: Schema.NullOr(Schema.Int), actor: Actor, reason: Schema.String },
    success: EntityStatus,
    error: ControlRefused,
  }),
  /**
   * Stops intake and answers when everything in flight is settled. What cannot be, because calls to Odoo do not go out,
   * is given back.
   */
  Rpc.make("Drain", { payload: { actor: Actor }, success: EntityStatus }),
  /** Somebody has changed a run of the entity: it is taken up now and not at the next look. */
  Rpc.make("TakeUp"),
  Rpc.make("Resume", { payload: { actor: Actor }, success: EntityStatus }),
  /** One flow takes nothing in, whatever the mode. Takes effect, and answers, as `SetMode` does. */
  Rpc.make("Pause", {
    payload: {
      flow: Schema.String,
      actor: Actor,
      reason: Schema.String,
      /** Epoch milliseconds; null: until it is lifted. */
      untilMillis: Schema.NullOr(Schema.Int),
    },
    success: EntityStatus,
    error: ControlRefused,
  }),
  /** Lifts a pause. One that is not there: nothing happens. */
  Rpc.make("Unpause", {
    payload: { flow: Schema.String, actor: Actor, reason: Schema.String },
    success: EntityStatus,
    error: ControlRefused,
  }),
]).annotate(ClusterSchema.ShardGroup, regionIn)

const OPERATOR = "operator"

const overrideOf = (standing: Standing | null): EntityStatus["override"] => {
  if (standing === null || standing.override === null) return null
  const { actor, reason, untilMillis } = standing.override
  return { actor, reason, untilMillis }
}

/** Pause of an owner that finds itself fenced, longer than the cluster takes to move its shard. */
const FENCED_PAUSE = Duration.seconds(4)
/** Idle time after which an entity that left the configuration passivates. */
const MAX_IDLE = Duration.minutes(1)

export const LegalEntityLive = LegalEntity.toLayer(
  Effect.gen(function* () {
    const address = (yield* Entity.CurrentAddress).entityId
    const code = codeIn(address)
    const roster = yield* Roster
    const live = yield* Live
    /** Null: not here any more, or not yet. */
    const settingsNow = (): EntitySettings | null => {
      const settings = roster.entities.get(code)
      return settings !== undefined && addressOf(settings) === address ? settings : null
    }
    const board: SessionBoard = {
      state: "starting",
      trouble: "",
      claim: null,
      standing: null,
      governor: null,
      released: () => {},
      closing: null,
      flows: [],
      runsChanged: Latch.makeUnsafe(true),
    }
    /** What it goes by now; null while it has no configuration. */
    let serving: { readonly settings: EntitySettings; readonly conduct: Conduct } | null = null
    const examinable = Latch.makeUnsafe(true)
    /** Open while the actor may run sessions. */
    const active = Latch.makeUnsafe(true)
    let stop = Deferred.makeUnsafe<void>()
    /** Done while there is no session. */
    let idle = Deferred.makeUnsafe<void>()
    yield* Deferred.succeed(idle, undefined)
    /** Ends the session in order: no more intake, everything in flight settled. */
    const halt = Effect.gen(function* () {
      board.state = "draining"
      yield* Deferred.succeed(stop, undefined)
      yield* Deferred.await(idle)
      board.state = "stopped"
    })

    /** Session after session, as long as `settings` count. */
    const life = (settings: EntitySettings, conduct: Conduct) =>
      Effect.gen(function* () {
        while (true) {
          yield* active.await
          if (settingsNow() !== settings) return yield* Effect.never
          stop = Deferred.makeUnsafe<void>()
          idle = Deferred.makeUnsafe<void>()
          board.state = "starting"
          yield* session(settings, board, conduct, stop).pipe(
            Effect.scoped,
            Effect.ensuring(Effect.suspend(() => Deferred.succeed(idle, undefined))),
          )
          board.state = "stopped"
        }
      }).pipe(
        Effect.catchCause((cause) => {
          if (Cause.hasInterrupts(cause)) return Effect.interrupt
          const fenced = isFenced(cause)
          board.state = fenced ? "fenced" : "troubled"
          board.trouble = String(Cause.squash(cause))
          return fenced
            ? Effect.logWarning("another process owns this entity now; stands back").pipe(
              Effect.andThen(Effect.sleep(FENCED_PAUSE)),
              Effect.andThen(Effect.fail("again" as const)),
            )
            : Effect.logError("the session ended and starts again", cause).pipe(
              Effect.andThen(Effect.fail("again" as const)),
            )
        }),
        Effect.retry(restartBackoff),
      )

    /** From one configuration to the next. */
    const configured = (settings: EntitySettings) =>
      Effect.gen(function* () {
        const flows = flowsOf(roster.flows, settings)
        const conduct = yield* makeConduct(settings, flows.flatMap(({ needs }) => needs ?? []), flows.flatMap(askedBy))
        serving = { settings, conduct }
        yield* duties({
          settings,
          flows,
          examinable,
          isDrained: () => Deferred.isDoneUnsafe(idle),
          isShadowed: () => board.standing?.mode === "shadow",
        })
        yield* Effect.raceFirst(
          life(settings, conduct),
          roster.changed(code, settings).pipe(
            Effect.andThen(Effect.logInfo(`the configuration of ${code} changed: settles what is in flight first`)),
            Effect.andThen(halt),
          ),
        )
      }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => serving = null)))

    const unconfigured = Effect.suspend(() => {
      Object.assign(board, { state: "stopped", claim: null, standing: null, flows: [] })
      board.trouble = `${code} is not in the configuration`
      return roster.changed(code, roster.entities.get(code))
    })

    yield* Effect.suspend(() => {
      const settings = settingsNow()
      board.trouble = ""
      return settings === null ? unconfigured : configured(settings)
    }).pipe(
      Effect.tapDefect((defect) => Effect.logError(`${code} cannot work as it is configured`, defect)),
      Effect.forever,
      Effect.sandbox,
      Effect.retry(restartBackoff),
      Effect.annotateLogs({ entity: code }),
      Effect.forkScoped,
    )

    const now = Effect.clockWith((clock) => clock.currentTimeMillis)
    const needs = new Map(roster.flows.map((flow) => [flow.name, [ODOO, ...flow.needs ?? []]]))
    /** The circuit that keeps a flow waiting. */
    const barring = (flow: string) =>
      serving?.conduct.circuits.find(({ dependency, state }) =>
        state() !== "closed" && needs.get(flow)?.includes(dependency) === true
      )
    const status = Effect.map(now, (nowMillis): EntityStatus => ({
      entity: code,
      state: board.state,
      mode: board.standing?.mode ?? serving?.settings.mode ?? "full",
      override: overrideOf(board.standing),
      circuits: (serving?.conduct.circuits ?? []).map((circuit) => ({
        dependency: circuit.dependency,
        state: circuit.state(),
        openedAtMillis: circuit.openedAtMillis(),
        trouble: circuit.state() === "closed" ? "" : circuit.trouble(),
      })),
      incidents: serving?.conduct.incidents.open.length ?? 0,
      close: board.closing?.status() ?? null,
      epoch: board.claim?.epoch ?? 0,
      owner: roster.owner,
      configuration: digestOf(serving?.settings),
      trouble: board.trouble,
      flows: board.flows.map((line) => {
        const status = line.status(nowMillis)
        const open = barring(line.flow)
        return open === undefined || status.state !== "running" ? status : {
          ...status,
          state: "troubled",
          trouble: `waits for ${open.dependency}: ${open.trouble()}`,
        }
      }),
    }))
    const drain = Effect.gen(function* () {
      yield* active.close
      yield* halt
    })
    yield* (yield* Shutdown).register(code, drain)

    const wished = Effect.fnUntraced(function* (wish: Wish) {
      if (board.governor === null) {
        return yield* new ControlRefused({
          message: `${code} is ${board.state} and takes no orders now. Resume it, or try again in a moment.`,
        })
      }
      const leavesShadow = wish._tag === "Mode" && board.standing?.mode === "shadow" &&
        wish.mode !== "shadow" && wish.mode !== "hold"
      if (leavesShadow && serving?.settings.cutover === undefined) {
        return yield* new ControlRefused({
          message:
            `${code} is in shadow, and everything that waited would be written, whoever wrote it before. Say in ` +
            `weir.json what is Weir's from which day on (cutover; {"from": {}} for all of it), then try again.`,
        })
      }
      if (yield* board.governor.wish(wish)) return yield* status
      return yield* new ControlRefused({
        message: `${code} was stopped before it took effect, or too many changes wait. Look at its status.`,
      })
    })
    const close = Effect.fnUntraced(function* (
      { actor = OPERATOR, reason, untilMillis }: {
        readonly actor?: string
        readonly reason: string
        readonly untilMillis: number | null
      },
    ) {
      const done = board.closing !== null && (yield* board.closing.wish({ actor, reason, untilMillis }))
      if (done) return yield* status
      return yield* new ControlRefused({
        message:
          `${code} is ${board.state} and takes no order about its close now. Resume it, or try again in a moment.`,
      })
    })
    const drained = Effect.fnUntraced(function* (actor = OPERATOR) {
      if (board.governor !== null) serving?.conduct.notes.push({ actor, action: "drained" })
      yield* drain
      return yield* status
    })
    const resumed = Effect.fnUntraced(function* (actor = OPERATOR) {
      if (board.governor === null) serving?.conduct.notes.push({ actor, action: "resumed" })
      yield* active.open
      return yield* status
    })

    const reconfigured = live.reload.pipe(
      Effect.mapError((error) => new ControlRefused({ message: error.told("the one before goes on") })),
      Effect.map((): Configured => {
        const settings = settingsNow()
        return { owner: roster.owner, configured: settings !== null, digest: digestOf(settings ?? undefined) }
      }),
    )

    return LegalEntity.of({
      Ensure: () => Effect.void,
      Reconfigure: () => Rpc.fork(reconfigured),
      TakeUp: () =>
        Effect.sync(() => {
          Latch.openUnsafe(board.runsChanged)
          Latch.openUnsafe(examinable)
        }),
      Status: () => Rpc.fork(status),
      Released: () => Rpc.fork(Effect.sync(() => board.released())),
      SetMode: ({ payload: { actor = OPERATOR, mode, reason = "", untilMillis = null } }) =>
        Rpc.fork(wished({ _tag: "Mode", actor, mode, reason, untilMillis })),
      Close: ({ payload }) => Rpc.fork(close(payload)),
      Drain: ({ payload }) => Rpc.fork(drained(payload.actor)),
      Resume: ({ payload }) => Rpc.fork(resumed(payload.actor)),
      Pause: ({ payload: { actor = OPERATOR, flow, reason, untilMillis } }) =>
        Rpc.fork(wished({ _tag: "Pause", actor, flow, reason, untilMillis })),
      Unpause: ({ payload: { actor = OPERATOR, flow, reason } }) =>
        Rpc.fork(wished({ _tag: "Unpause", actor, flow, reason })),
    })
  }),
  { maxIdleTime: MAX_IDLE, disableFatalDefects: true },
)
