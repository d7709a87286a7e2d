/**
 * Closes windows whose time is over and tells what they came to, as an event of the flow itself: in one transaction, once.
 *
 *   window open, month over, quiet ──► closed ──► `erp.<entity>.usage.rolled-up` ──► written like any other event
 */
import { Cause, Clock, Duration, Effect } from "effect"
import { toMessage } from "../broker/cloudevents.ts"
import type { Flow, Windows } from "../flow/Flow.ts"
import { type Claim, Ledger } from "../ledger/Ledger.ts"
import type { Closing, Window } from "../ledger/Windows.ts"
import { untilAvailable } from "./patience.ts"

/** How often it is looked which windows are due. */
const POLL = Duration.seconds(10)
/** Windows closed at a time. */
const PAGE = 100

export interface ClosingWindows {
  readonly flows: ReadonlyArray<Flow>
  /** Whether the flow takes events in now. */
  readonly goesOn: (flow: Flow) => boolean
  /** Something is in the outbox. */
  readonly outbox: () => void
}

/** Never ends. Fails with `Fenced` or `Refused`. */
export const closingWindows = (claim: Claim, { flows, goesOn, outbox }: ClosingWindows) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger

    const closeDue = Effect.fnUntraced(function* ({ name }: Flow, windows: Windows) {
      const quiet = Duration.toMillis(Duration.fromInputUnsafe(windows.quiet))
      while (true) {
        const now = yield* Clock.currentTimeMillis
        const due = { flow: name, nowMillis: now, quietSinceMillis: now - quiet, limit: PAGE }
        const page = yield* ledger.dueWindows(claim, due).pipe(untilAvailable("windows"))
        if (page.length === 0) return
        const closings = page.map((window) => closingOf(claim.entity, name, windows, window, now))
        const closed = yield* ledger.closeWindows(claim, closings).pipe(untilAvailable("windows"))
        yield* Effect.logInfo(`${closed} windows of ${name} are closed`)
        outbox()
        // Those that were counted in meanwhile are not quiet any more.
        if (page.length < PAGE) return
      }
    })

    while (true) {
      for (const flow of flows) {
        if (flow.windows === undefined || !goesOn(flow)) continue
        yield* closeDue(flow, flow.windows).pipe(
          Effect.catchDefect((defect) =>
            Effect.logError(`windows of ${flow.name} cannot be told and stay open`, Cause.die(defect))
          ),
        )
      }
      yield* Effect.sleep(POLL)
    }
  })

const closingOf = (entity: string, flow: string, windows: Windows, window: Window, nowMillis: number): Closing => {
  const { data, id, type } = windows.closed(window)
  return {
    flow,
    series: window.series,
    period: window.period,
    events: window.events,
    publication: toMessage(
      {
        specversion: "1.0",
        id: `${flow}/${id}`,
        source: `weir/${entity}`,
        type,
        time: new Date(nowMillis).toISOString(),
        datacontenttype: "application/json",
        data,
      },
      `erp.${entity}.${type}`,
      "structured",
    ),
  }
}
