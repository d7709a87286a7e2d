/** The numbers behind circuits, automatic modes and the watchdog. One set for all entities. */
import { Context, Duration } from "effect"

export interface Thresholds {
  /** Failures in a row that open a circuit, 1 or more. */
  readonly failures: number
  /** How long a circuit stays open before the first probe; doubles with every failed one … */
  readonly firstOpen: Duration.Duration
  /** … up to this. */
  readonly longestOpen: Duration.Duration
  /** Shortest wait before a probe after Odoo refused the key: repeated refusals lock accounts. */
  readonly refusedOpen: Duration.Duration
  /** A probe without an answer by then has failed. */
  readonly probeTimeout: Duration.Duration
  /** How often a dependency that a flow `needs` is asked while its circuit is closed. */
  readonly askEvery: Duration.Duration
  /** Odoo's circuit not closed for so long: mode `hold`. Shorter outages leave the mode alone. */
  readonly holdAfter: Duration.Duration
  /** A circuit closed for so long without another opening: its incident is over. */
  readonly calm: Duration.Duration
  /** How often load is looked at: one window. */
  readonly window: Duration.Duration
  /** Overloaded windows in a row after which the mode is `essential`. */
  readonly overloadedWindows: number
  /** Windows in a row without overload after which it is `full` again. More than `overloadedWindows`: no flapping. */
  readonly quietWindows: number
  /** Windows in a row without anything critical in flight after which it is `full` again: the others keep nobody waiting. */
  readonly idleWindows: number
  /** A critical event in flight that is older than this makes a window overloaded. */
  readonly criticalObjective: Duration.Duration
  /** The stream is ahead of a consumer that delivered nothing for so long: look twice, then rebuild it. */
  readonly silence: Duration.Duration
  /** With every look that finds nothing `silence` doubles, up to this. */
  readonly longestSilence: Duration.Duration
  /** Time between two looks of the watchdog. */
  readonly lookEvery: Duration.Duration
}

export const Thresholds = Context.Reference<Thresholds>("weir/actor/modes/Thresholds", {
  defaultValue: () => ({
    failures: 3,
    firstOpen: Duration.seconds(1),
    longestOpen: Duration.seconds(30),
    refusedOpen: Duration.seconds(15),
    probeTimeout: Duration.seconds(10),
    askEvery: Duration.seconds(10),
    holdAfter: Duration.seconds(60),
    calm: Duration.seconds(10),
    window: Duration.seconds(5),
    overloadedWindows: 12,
    quietWindows: 24,
    idleWindows: 6,
    criticalObjective: Duration.seconds(60),
    silence: Duration.seconds(15),
    longestSilence: Duration.minutes(2),
    lookEvery: Duration.seconds(5),
  }),
})
