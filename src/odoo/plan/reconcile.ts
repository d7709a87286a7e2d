/**
 * The reconcile step: matches open items of what pays with those of what is owed (`account.move.line/reconcile`,
 * `addons/account/models/account_move_line.py`). Odoo matches what both sides have open, so partial and over-payments need
 * nothing special, and repeating it changes nothing.
 *
 * One call for what is paid in full. When it is not, Odoo would pay the oldest due date first, so what is owed is matched
 * one by one in the order of the event.
 */
import { Effect } from "effect"
import type { Reconcile, ReconcileSet } from "../../flow/Step.ts"
import { dispositionOf } from "../../reason/Reason.ts"
import { type CompanyCalls, many2one, type OdooRecord } from "../CompanyCalls.ts"
import type { OdooError } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"

const PAYMENT = "account.payment"
const MOVE = "account.move"
const LINE = "account.move.line"
/** Amounts below half a unit of the smallest currency in use are float noise. */
const EPSILON = 0.0005

export interface OpenLine {
  readonly id: number
  readonly account: number | undefined
  readonly currency: number | undefined
  /** In the company's currency. */
  readonly residual: number
  /** In its own. */
  readonly residualCurrency: number
}

/** One set of one event, by journal entries. */
export interface Match {
  readonly index: number
  readonly set: ReconcileSet
  /** Entries of what pays. */
  paying: ReadonlyArray<number>
}

const stateIn = (record: OdooRecord): string => String(record["state"])

/** Open posted lines by their move, in order of their id: of an account, or receivable ones. */
export const openLines = Effect.fnUntraced(function* (matches: ReadonlyArray<Match>, calls: CompanyCalls) {
  const moves = [...new Set(matches.flatMap(({ paying, set }) => [...paying, ...set.owed]))]
  const accounts = [...new Set(matches.flatMap(({ set }) => set.account ?? []))]
  const lines = moves.length === 0 ? [] : yield* calls.searchRead(LINE, [
    ["move_id", "in", moves],
    ...(accounts.length === 0
      ? [["account_type", "=", "asset_receivable"]]
      : ["|", ["account_type", "=", "asset_receivable"], ["account_id", "in", accounts]]),
    ["parent_state", "=", "posted"],
    ["reconciled", "=", false],
  ], [
    "move_id",
    "account_id",
    "currency_id",
    "amount_residual",
    "amount_residual_currency",
    ...(accounts.length === 0 ? [] : ["account_type"]),
  ])
  const byMove = new Map<number, Array<OpenLine & { readonly isReceivable: boolean }>>()
  for (const line of [...lines].sort((a, b) => a.id - b.id)) {
    const move = many2one(line["move_id"])
    if (move === undefined) continue
    const open = {
      id: line.id,
      account: many2one(line["account_id"]),
      currency: many2one(line["currency_id"]),
      residual: Number(line["amount_residual"]),
      residualCurrency: Number(line["amount_residual_currency"]),
      isReceivable: accounts.length === 0 || line["account_type"] === "asset_receivable",
    }
    const known = byMove.get(move)
    if (known === undefined) byMove.set(move, [open])
    else known.push(open)
  }
  return (move: number, { account }: ReconcileSet): ReadonlyArray<OpenLine> =>
    (byMove.get(move) ?? []).filter((line) => account === undefined ? line.isReceivable : line.account === account)
})

/** What lines come to: in their currency when they share one, else in the company's. */
const totalsOf = (...sides: ReadonlyArray<ReadonlyArray<OpenLine>>): ReadonlyArray<number> => {
  const all = sides.flat()
  const shared = all.every(({ currency }) => currency === all[0]?.currency)
  return sides.map((lines) =>
    Math.abs(lines.reduce((sum, line) => sum + (shared ? line.residualCurrency : line.residual), 0))
  )
}

/** The calls that match paying lines with those of each document owed: sets of line ids, in order. Pure. */
export const pairsOf = (
  paying: ReadonlyArray<OpenLine>,
  owed: ReadonlyArray<ReadonlyArray<OpenLine>>,
): ReadonlyArray<ReadonlyArray<number>> => {
  const open = owed.filter((lines) => lines.length > 0)
  if (paying.length === 0 || open.length === 0) return []
  const idsOf = (lines: ReadonlyArray<OpenLine>) => lines.map(({ id }) => id)
  const [paid = 0, due = 0] = totalsOf(paying, open.flat())
  if (open.length === 1 || paid + EPSILON >= due) return [[...idsOf(paying), ...idsOf(open.flat())]]
  return open.map((lines) => [...idsOf(paying), ...idsOf(lines)])
}

/** Reads payments and entries; refuses the event when one is gone or not posted. */
const matchesOf = Effect.fnUntraced(function* (step: Reconcile<unknown>, batch: Batch, calls: CompanyCalls) {
  const matches: Array<Match> = batch.alive.flatMap((index) =>
    step.sets(batch.writes[index]!).map((set) => ({ index, set, paying: [] }))
  )
  const payments = yield* calls.read(PAYMENT, matches.flatMap(({ set }) => set.payments ?? []), ["state", "move_id"])
  const moves = yield* calls.read(
    MOVE,
    matches.flatMap(({ set }) => [...set.entries ?? [], ...set.owed]),
    ["state"],
  )
  const flaw = (match: Match): { readonly id: number; readonly model: string; readonly state?: string } | undefined => {
    const paying: Array<number> = []
    for (const id of match.set.payments ?? []) {
      const payment = payments.get(id)
      if (payment === undefined) return { model: PAYMENT, id }
      const move = many2one(payment["move_id"])
      if (move === undefined) return { model: PAYMENT, id, state: `${stateIn(payment)} without a journal entry` }
      paying.push(move)
    }
    for (const id of [...match.set.entries ?? [], ...match.set.owed]) {
      const move = moves.get(id)
      if (move === undefined) return { model: MOVE, id }
      if (stateIn(move) !== "posted") return { model: MOVE, id, state: stateIn(move) }
    }
    match.paying = [...paying, ...match.set.entries ?? []]
    return undefined
  }
  return matches.filter((match) => {
    const found = flaw(match)
    if (found === undefined) return true
    const about = `${found.model} ${found.id}`
    batch.refuse(
      match.index,
      found.state === undefined ? { code: "ODOO-RECORD-MISSING", detail: `${about} is gone` } : {
        code: "ODOO-UNEXPECTED-STATE",
        detail: `${about} is ${found.state}; only what is posted can be reconciled`,
      },
    )
    return false
  }).filter(({ index }) => batch.isAlive(index))
})

const nameOf = ({ paying, set }: Match): string => {
  const [payment] = set.payments ?? []
  return payment === undefined ? `${MOVE} ${paying[0]}` : `${PAYMENT} ${payment}`
}

export const runReconcile = Effect.fnUntraced(function* (step: Reconcile<unknown>, batch: Batch, calls: CompanyCalls) {
  const matches = yield* matchesOf(step, batch, calls)
  const before = yield* openLines(matches, calls)
  const errors = new Map<Match, OdooError>()
  const called: Array<Match> = []
  for (const match of matches) {
    const { paying, set } = match
    const pairs = pairsOf(
      paying.flatMap((move) => before(move, set)),
      set.owed.map((move) => before(move, set)),
    )
    if (pairs.length > 0) called.push(match)
    for (const ids of pairs) {
      // "Already reconciled" is one of these errors too: what is read afterwards tells.
      yield* calls.call(LINE, "reconcile", { ids }).pipe(
        Effect.catchIf(
          (error) => dispositionOf(error.code) === "park",
          (error) => Effect.sync(() => void errors.set(match, error)),
        ),
      )
    }
  }
  const after = yield* openLines(called, calls)
  for (const match of called) {
    const { index, paying, set } = match
    const isOpen = (moves: ReadonlyArray<number>): boolean => moves.some((move) => after(move, set).length > 0)
    if (!isOpen(paying) || !isOpen(set.owed)) continue
    const error = errors.get(match)
    if (error !== undefined) batch.refuseFor(index, error)
    else {
      batch.refuse(index, {
        code: "ODOO-UNEXPECTED-STATE",
        detail: `${nameOf(match)} and what it pays are both still open after reconciling`,
      })
    }
  }
  const done = matches.filter(({ index }) => batch.isAlive(index))
  const owed = yield* calls.read(MOVE, done.flatMap(({ set }) => set.owed), [
    "name",
    "payment_state",
    "amount_residual",
  ])
  for (const index of new Set(done.map((match) => match.index))) {
    const moves = done.filter((match) => match.index === index).flatMap(({ set }) => set.owed)
    batch.writes[index]!.read[step.name] = { owed: moves.map((id) => owed.get(id)) }
  }
})
