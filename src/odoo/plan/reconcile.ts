/**
 * The reconcile step: matches the open receivable items of a posted payment with those of posted invoices
 * (`account.move.line/reconcile`, `addons/account/models/account_move_line.py`). Odoo matches what both sides have open, so
 * partial and over-payments need nothing special, and repeating it changes nothing.
 *
 * One call for a payment that covers its invoices. When it does not, Odoo would pay the oldest due date first, so the
 * invoices are matched one by one in the order of the event.
 */
import { Effect } from "effect"
import type { Reconcile } from "../../flow/Step.ts"
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
  /** In the company's currency. */
  readonly residual: number
}

/** One payment and the invoices it settles. */
interface Match {
  readonly index: number
  readonly payment: number
  readonly invoices: ReadonlyArray<number>
  /** The payment's journal entry. */
  move: number
}

const stateIn = (record: OdooRecord): string => String(record["state"])

/** Open posted receivable lines by their move, in order of their id. */
export const openLines = Effect.fnUntraced(function* (moves: Iterable<number>, calls: CompanyCalls) {
  const lines = yield* calls.searchRead(LINE, [
    ["move_id", "in", [...new Set(moves)]],
    ["account_type", "=", "asset_receivable"],
    ["parent_state", "=", "posted"],
    ["reconciled", "=", false],
  ], ["move_id", "account_id", "amount_residual"])
  const byMove = new Map<number, Array<OpenLine>>()
  for (const line of [...lines].sort((a, b) => a.id - b.id)) {
    const move = many2one(line["move_id"])
    if (move === undefined) continue
    const open = { id: line.id, account: many2one(line["account_id"]), residual: Number(line["amount_residual"]) }
    const known = byMove.get(move)
    if (known === undefined) byMove.set(move, [open])
    else known.push(open)
  }
  return byMove
})

/**
 * The calls that match a payment's lines with its invoices': sets of line ids, in order. Empty when one side has nothing
 * open. Pure.
 */
export const pairsOf = (
  payment: ReadonlyArray<OpenLine>,
  invoices: ReadonlyArray<ReadonlyArray<OpenLine>>,
): ReadonlyArray<ReadonlyArray<number>> => {
  const open = invoices.filter((lines) => lines.length > 0)
  if (payment.length === 0 || open.length === 0) return []
  const total = (lines: ReadonlyArray<OpenLine>) => Math.abs(lines.reduce((sum, { residual }) => sum + residual, 0))
  const idsOf = (lines: ReadonlyArray<OpenLine>) => lines.map(({ id }) => id)
  const paying = idsOf(payment)
  if (open.length === 1 || total(payment) + EPSILON >= total(open.flat())) return [[...paying, ...idsOf(open.flat())]]
  return open.map((lines) => [...paying, ...idsOf(lines)])
}

/** Reads payments and invoices; refuses what is gone or not posted. */
const matchesOf = Effect.fnUntraced(function* (step: Reconcile<unknown>, batch: Batch, calls: CompanyCalls) {
  const matches: Array<Match> = batch.alive.map((index) => ({
    index,
    payment: batch.idOf(index, step.payment),
    invoices: step.invoices(batch.writes[index]!),
    move: 0,
  }))
  const payments = yield* calls.read(PAYMENT, matches.map(({ payment }) => payment), ["state", "move_id"])
  const moves = yield* calls.read(MOVE, matches.flatMap(({ invoices }) => invoices), ["state"])
  const flaw = (match: Match): { readonly id: number; readonly model: string; readonly state?: string } | undefined => {
    const payment = payments.get(match.payment)
    if (payment === undefined) return { model: PAYMENT, id: match.payment }
    const move = many2one(payment["move_id"])
    if (move === undefined) {
      return { model: PAYMENT, id: match.payment, state: `${stateIn(payment)} without a journal entry` }
    }
    match.move = move
    for (const id of match.invoices) {
      const invoice = moves.get(id)
      if (invoice === undefined) return { model: MOVE, id }
      if (stateIn(invoice) !== "posted") return { model: MOVE, id, state: stateIn(invoice) }
    }
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
  })
})

const linesOf = (open: ReadonlyMap<number, ReadonlyArray<OpenLine>>, move: number) => open.get(move) ?? []

export const runReconcile = Effect.fnUntraced(function* (step: Reconcile<unknown>, batch: Batch, calls: CompanyCalls) {
  const matches = yield* matchesOf(step, batch, calls)
  if (matches.length === 0) return
  const before = yield* openLines(matches.flatMap(({ invoices, move }) => [move, ...invoices]), calls)
  const errors = new Map<Match, OdooError>()
  const called: Array<Match> = []
  for (const match of matches) {
    const pairs = pairsOf(linesOf(before, match.move), match.invoices.map((invoice) => linesOf(before, invoice)))
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
  const after = called.length === 0
    ? new Map<number, Array<OpenLine>>()
    : yield* openLines(called.flatMap(({ invoices, move }) => [move, ...invoices]), calls)
  for (const match of called) {
    const paid = linesOf(after, match.move)
    const owed = match.invoices.flatMap((invoice) => linesOf(after, invoice))
    if (paid.length === 0 || owed.length === 0) continue
    const error = errors.get(match)
    if (error !== undefined) batch.refuseFor(match.index, error)
    else {
      batch.refuse(match.index, {
        code: "ODOO-UNEXPECTED-STATE",
        detail: `${PAYMENT} ${match.payment} and its invoices are both still open after reconciling`,
      })
    }
  }
  const done = matches.filter(({ index }) => batch.isAlive(index))
  const invoices = yield* calls.read(MOVE, done.flatMap(({ invoices }) => invoices), [
    "name",
    "payment_state",
    "amount_residual",
  ])
  for (const match of done) {
    batch.writes[match.index]!.read[step.name] = { invoices: match.invoices.map((id) => invoices.get(id)) }
  }
})
