/**
 * The actor: one per legal entity, wherever the cluster places it. Its messages are the control plane; events never
 * travel through them. Its scope holds the session.
 *
 *     starting ──► running ◄──► troubled
 *        ▲           │ Drain, SetMode, shutdown
 *        │           ▼
 *     (Resume) ◄── draining ──► stopped            fenced ──(pause)──► starting
 *
 * The cluster places and supervises; that there is only one owner is the ledger's epoch.
 */
import { Cause, Deferred, Duration, Effect, Latch, Schema } from "effect"
import { Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { isFenced, Ledger } from "../ledger/Ledger.ts"
import { EntityStatus } from "./Board.ts"
import { restartBackoff, untilAvailable } from "./patience.ts"
import { Roster } from "./Roster.ts"
import { session, type SessionBoard } from "./Session.ts"
import { Shutdown } from "./Shutdown.ts"

const Mode = Schema.Literals(["full", "essential", "drafts", "hold"])

export const LegalEntity = Entity.make("LegalEntity", [
  /** Keeps it active; sent by the registrar. */
  Rpc.make("Ensure"),
  Rpc.make("Status", { success: EntityStatus }),
  /** Takes effect once what is in flight is settled. */
  Rpc.make("SetMode", { payload: { mode: Mode }, success: EntityStatus }),
  /** Stops intake and answers when everything in flight is settled. */
  Rpc.make("Drain", { success: EntityStatus }),
  Rpc.make("Resume", { success: EntityStatus }),
])

/** Pause of an owner that finds itself fenced, longer than the cluster takes to move its shard. */
const FENCED_PAUSE = Duration.seconds(4)
/** Idle time after which an entity that left the configuration passivates. */
const MAX_IDLE = Duration.minutes(1)

export const LegalEntityLive = LegalEntity.toLayer(
  Effect.gen(function* () {
    const code: string = (yield* Entity.CurrentAddress).entityId
    const roster = yield* Roster
    const ledger = yield* Ledger
    const settings = roster.entities.get(code)
    const board: SessionBoard = { state: "starting", trouble: "", claim: null, flows: [] }
    /** Open while the actor may run sessions. */
    const active = Latch.makeUnsafe(true)
    let stop = Deferred.makeUnsafe<void>()
    let idle = Deferred.makeUnsafe<void>()

    const life = Effect.gen(function* () {
      if (settings === undefined) {
        board.trouble = `${code} is not in the configuration`
        return yield* Effect.never
      }
      while (true) {
        yield* active.await
        stop = Deferred.makeUnsafe<void>()
        idle = Deferred.makeUnsafe<void>()
        board.state = "starting"
        yield* session(settings, board, stop).pipe(
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
      Effect.annotateLogs({ entity: code }),
    )
    yield* Effect.forkScoped(life)

    const now = Effect.clockWith((clock) => clock.currentTimeMillis)
    const status = Effect.map(now, (nowMillis): EntityStatus => ({
      entity: code,
      state: board.state,
      mode: board.claim?.mode ?? settings?.mode ?? "full",
      epoch: board.claim?.epoch ?? 0,
      owner: roster.owner,
      trouble: board.trouble,
      flows: board.flows.map((line) => line.status(nowMillis)),
    }))
    /** Ends the session in order: no more intake, everything in flight settled. */
    const halt = Effect.gen(function* () {
      board.state = "draining"
      yield* Deferred.succeed(stop, undefined)
      yield* Deferred.await(idle)
    })
    const drain = Effect.gen(function* () {
      yield* active.close
      yield* halt
      board.state = "stopped"
    })
    yield* (yield* Shutdown).register(code, drain)

    return LegalEntity.of({
      Ensure: () => Effect.void,
      Status: () => status,
      SetMode: Effect.fnUntraced(function* ({ payload }) {
        yield* active.close
        yield* halt
        if (board.claim !== null) {
          yield* ledger.govern(board.claim, {
            entries: [{
              id: `${board.claim.epoch}/mode`,
              actor: "operator",
              action: "mode.changed",
              detail: { mode: payload.mode },
            }],
            standing: { mode: payload.mode, override: null },
            incidents: [],
            outbox: [],
          }).pipe(untilAvailable("mode"), Effect.orDie)
        }
        yield* active.open
        return yield* status
      }),
      Drain: () => Effect.andThen(drain, status),
      Resume: () => Effect.andThen(active.open, status),
    })
  }),
  { maxIdleTime: MAX_IDLE, disableFatalDefects: true },
)
