/**
 * Windows: what events of a series add up to over a period, in the transaction that settles them, so exactly once (R43).
 *
 *     contribution ──► open ──closed once its period is over and nothing has come for a while──► closed
 *                                                                                                  │
 *     a contribution to what is closed ──► its later window, or the exception USAGE-LATE ◄─────────┘
 */
import type { Publication } from "../broker/Broker.ts"

/** A window of a flow. */
export interface WindowName {
  /** What is counted: `ENG-7.tokens`. */
  readonly series: string
  /** When: `2026-10`. */
  readonly period: string
}

/** What an event adds. Numbers are decimals as text. */
export interface Contribution extends WindowName {
  /** May be negative. */
  readonly quantity: string
  /** Until when the window stays open at least. Epoch milliseconds. The first contribution says it. */
  readonly closesAtMillis: number
  /** Where it counts when its window is closed; null: then it is an exception. */
  readonly late: { readonly period: string; readonly closesAtMillis: number } | null
}

export interface Window extends WindowName {
  readonly quantity: string
  /** Events that count in it. */
  readonly events: number
  /** Of these, events of an earlier period whose window was closed. */
  readonly late: number
  readonly closesAtMillis: number
  /** When the last event was counted. */
  readonly countedAtMillis: number
}

/** Closes a window that still counts `events`, and tells what it came to. */
export interface Closing extends WindowName {
  readonly flow: string
  readonly events: number
  readonly publication: Publication
}
