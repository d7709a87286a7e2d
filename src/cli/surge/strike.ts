/** Does to the lab's servers what a schedule says, when it says so, and notes from when until when it lasted. */
import { Clock, Duration, Effect } from "effect"
import { raise } from "../../../fixtures/odoo/Faults.ts"
import { type Fault, inWords } from "./FaultSchedule.ts"
import type { Control } from "./Target.ts"

export interface Struck {
  readonly what: string
  /** Since the beginning of the surge. */
  readonly fromMillis: number
  /** Null while it lasts. */
  untilMillis: number | null
}

/** A fault that begins and ends. */
interface Blow {
  readonly begin: Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

const rule = ({ standIn }: Control, body: object): Blow => ({
  begin: standIn("POST", "faults", body),
  end: standIn("DELETE", "faults", {}),
})

const blowOf = (fault: Fault, control: Control): Blow => {
  const { servers, standIn, weir } = control
  switch (fault.fault) {
    case "odoo-away":
      return { begin: servers.odoo.stop, end: servers.odoo.start }
    case "database-away":
      return { begin: servers.database.stop, end: servers.database.start }
    case "broker-away":
      return { begin: servers.broker.stop, end: servers.broker.start }
    case "odoo-frozen":
      return { begin: servers.odoo.freeze, end: servers.odoo.thaw }
    case "database-frozen":
      return { begin: servers.database.freeze, end: servers.database.thaw }
    case "broker-frozen":
      return { begin: servers.broker.freeze, end: servers.broker.thaw }
    case "weir-frozen":
      return { begin: weir.signal("SIGSTOP"), end: weir.signal("SIGCONT") }
    case "odoo-slow":
      return { begin: standIn("POST", "pace", { factor: fault.factor }), end: standIn("POST", "pace", { factor: 1 }) }
    case "odoo-database-away":
      return rule(control, { fault: { kind: "away" } })
    case "odoo-key-refused":
      return rule(control, { fault: { kind: "key" } })
    case "odoo-loses-answers":
      return rule(control, { fault: { kind: "reset", when: "after" }, probability: fault.share })
    case "odoo-contention":
      return rule(control, { fault: raise.serializationFailure, probability: fault.share })
    case "weir-killed":
      return { begin: weir.kill, end: weir.start }
    case "broker-crashed":
      return { begin: servers.broker.crash, end: servers.broker.start }
    case "database-crashed":
      return { begin: servers.database.crash, end: servers.database.start }
  }
}

/** Ends with the last fault. What lasts when it is interrupted is put right. */
export const strike = (
  faults: ReadonlyArray<Fault>,
  control: Control,
  note: (struck: Struck) => void,
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const passed = Effect.map(Clock.currentTimeMillis, (now) => now - started)
    const one = Effect.fnUntraced(function* (fault: Fault) {
      yield* Effect.sleep(fault.at)
      const blow = blowOf(fault, control)
      yield* Effect.acquireUseRelease(
        Effect.gen(function* () {
          const struck: Struck = { what: inWords(fault), fromMillis: yield* passed, untilMillis: null }
          note(struck)
          yield* blow.begin
          return struck
        }),
        () => Effect.sleep(fault.for ?? Duration.zero),
        (struck) => Effect.andThen(blow.end, Effect.map(passed, (now) => void (struck.untilMillis = now))),
      )
    })
    yield* Effect.forEach(faults, one, { concurrency: Math.max(1, faults.length), discard: true })
  })
