/** What happens to a real Odoo 19 beside what happens to the stand-in: its workers, its database, its own limit of time. */
import { Effect, Fiber } from "effect"
import { LIMIT_SECONDS, type RealOdoo } from "../RealOdoo.ts"
import type { Fault } from "./Fault.ts"

const KILLS = 3
/** Holds calls for longer than Odoo lets them take. */
const LOCKED_SECONDS = LIMIT_SECONDS * 2
const POLL = "500 millis"

export const realFaults = (odoo: RealOdoo): ReadonlyArray<Fault> => [
  {
    name: "kill-worker",
    what: `\`kill -9\` of an Odoo worker while it is at a call, ${KILLS} times`,
    strike: Effect.fnUntraced(function* ({ progress, random }) {
      let killed = 0
      for (let kill = 0; kill < KILLS; kill++) {
        yield* progress(0.1 + 0.25 * kill)
        if (yield* odoo.killWorker(random)) killed++
      }
      return killed
    }),
  },
  {
    name: "restart-odoo",
    what: "Odoo stopped in the middle of the surge and started again",
    strike: Effect.fnUntraced(function* ({ progress }) {
      yield* progress(0.3)
      yield* odoo.server.stop
      yield* odoo.server.start
      return 1
    }),
  },
  {
    name: "restart-odoo-database",
    what: "Odoo's PostgreSQL restarted at once (`-m immediate`: as after a crash), twice",
    strike: Effect.fnUntraced(function* ({ progress }) {
      for (const part of [0.2, 0.5]) {
        yield* progress(part)
        yield* odoo.restartDatabase
      }
      return 2
    }),
  },
  {
    name: "limit-time-real",
    what:
      `timesheets and invoices locked in Odoo's database for ${LOCKED_SECONDS} s: Odoo kills the workers that wait ` +
      `after \`limit_time_real\` = ${LIMIT_SECONDS} s`,
    strike: Effect.fnUntraced(function* ({ progress }) {
      const earlier = yield* odoo.timedOut
      yield* progress(0.2)
      const locks = yield* Effect.forkChild(
        Effect.forEach(
          ["account_analytic_line", "account_move"],
          (table) => odoo.lock(table, LOCKED_SECONDS),
          { concurrency: 2, discard: true },
        ),
      )
      yield* Fiber.join(locks)
      yield* Effect.sleep(POLL)
      return (yield* odoo.timedOut) - earlier
    }),
  },
]
