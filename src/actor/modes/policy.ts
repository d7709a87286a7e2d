/**
 * The automatic steps of an entity's mode, decided from what is seen. Plain state, no clock of its own: the caller tells
 * the times.
 *
 *           Odoo's circuit not closed for `holdAfter`
 *     full ─────────────────────────────────────────────► hold
 *      │ ▲                                                 │
 *      │ └──────────────── circuit closed ─────────────────┘      (from essential as well)
 *      │
 *      └── `overloadedWindows` in a row ──► essential ──(`quietWindows` or `idleWindows` in a row)──► full
 */
import { Duration } from "effect"
import type { Mode } from "../../ledger/Governance.ts"
import type { Thresholds } from "./Thresholds.ts"

export type AutomaticMode = Exclude<Mode, "drafts" | "shadow">

export interface Step {
  readonly to: AutomaticMode
  readonly reason: string
  /** When what led to it began. */
  readonly sinceMillis: number
}

/** What a window had of critical work. */
export type Load =
  | { readonly _tag: "Overloaded"; readonly why: string }
  | { readonly _tag: "Quiet" }
  /** None at all. */
  | { readonly _tag: "Idle" }

export class Policy {
  readonly #thresholds: Thresholds
  #mode: AutomaticMode = "full"
  #overloaded = 0
  #overloadedSinceMillis = 0
  #quiet = 0
  #idle = 0

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds
  }

  get mode(): AutomaticMode {
    return this.#mode
  }

  /** Goes on where the ledger says that the owner before had got to. */
  resume(mode: Mode): void {
    if (mode !== "drafts" && mode !== "shadow") this.#mode = mode
  }

  /** When Odoo's circuit leads to `hold`, epoch milliseconds; null when it does not. */
  holdAtMillis(openedAtMillis: number | null): number | null {
    return openedAtMillis === null || this.#mode === "hold"
      ? null
      : openedAtMillis + Duration.toMillis(this.#thresholds.holdAfter)
  }

  /** `openedAtMillis`: since when Odoo's circuit is not closed. */
  circuit(nowMillis: number, openedAtMillis: number | null): Step | null {
    if (openedAtMillis === null) {
      return this.#mode === "hold" ? this.#step("full", "Odoo answers again", nowMillis) : null
    }
    this.#calm()
    const holdAtMillis = this.holdAtMillis(openedAtMillis)
    if (holdAtMillis === null || nowMillis < holdAtMillis) return null
    const away = Duration.format(this.#thresholds.holdAfter)
    return this.#step("hold", `Odoo has not answered for ${away}`, openedAtMillis)
  }

  /** One window is over. Not to be told while Odoo is away. */
  window(nowMillis: number, load: Load): Step | null {
    this.#idle = load._tag === "Idle" ? this.#idle + 1 : 0
    if (load._tag !== "Overloaded") {
      this.#overloaded = 0
      if (this.#mode !== "essential") return null
      if (++this.#quiet >= this.#thresholds.quietWindows) {
        return this.#step("full", `no overload for ${this.#lengthOf(this.#quiet)}`, nowMillis)
      }
      return this.#idle < this.#thresholds.idleWindows
        ? null
        : this.#step("full", `nothing critical in flight for ${this.#lengthOf(this.#idle)}`, nowMillis)
    }
    this.#quiet = 0
    if (this.#overloaded++ === 0) this.#overloadedSinceMillis = nowMillis
    if (this.#mode !== "full" || this.#overloaded < this.#thresholds.overloadedWindows) return null
    return this.#step(
      "essential",
      `overloaded for ${this.#lengthOf(this.#overloaded)}: ${load.why}`,
      this.#overloadedSinceMillis,
    )
  }

  #calm(): void {
    this.#overloaded = 0
    this.#quiet = 0
    this.#idle = 0
  }

  #lengthOf(windows: number): string {
    return Duration.format(Duration.times(this.#thresholds.window, windows))
  }

  #step(to: AutomaticMode, reason: string, sinceMillis: number): Step {
    this.#calm()
    this.#mode = to
    return { to, reason, sinceMillis }
  }
}
