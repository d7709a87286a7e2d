/** Whether what pays and what is owed still have open items that belong together. */
import { Effect } from "effect"
import type { Reconcile } from "../../../flow/Step.ts"
import { many2one } from "../../CompanyCalls.ts"
import { PAGE } from "../../ExternalIds.ts"
import { type Match, openLines, pairsOf } from "../reconcile.ts"
import type { Glass } from "./Glass.ts"
import type { Looking } from "./Looking.ts"

const PAYMENT = "account.payment"
const MOVE = "account.move"

const matchesIn = (step: Reconcile<unknown>, looking: Looking): ReadonlyArray<Match> =>
  looking.open.flatMap((index) => step.sets(looking.writes[index]!).map((set) => ({ index, set, paying: [] })))

/** Pages of matches: a page is one question. */
const pagesOf = (matches: ReadonlyArray<Match>): ReadonlyArray<ReadonlyArray<Match>> =>
  Array.from({ length: Math.ceil(matches.length / PAGE) }, (_, page) => matches.slice(page * PAGE, (page + 1) * PAGE))

export const lookAtReconcile = Effect.fnUntraced(function* (step: Reconcile<unknown>, looking: Looking, glass: Glass) {
  const matches = matchesIn(step, looking)
  const payments = yield* glass.read(PAYMENT, matches.flatMap(({ set }) => set.payments ?? []), ["move_id"])
  for (const match of matches) {
    const moves = (match.set.payments ?? []).flatMap((id) => many2one(payments.get(id)?.["move_id"]) ?? [])
    match.paying = [...moves, ...match.set.entries ?? []]
  }
  for (const page of pagesOf(matches)) {
    // What pays is matched as a rule; what is owed is asked about where it is not.
    const paid = yield* openLines(page.map((match) => ({ ...match, set: { ...match.set, owed: [] } })), glass.calls)
    const open = page.filter(({ paying, set }) => paying.some((move) => paid(move, set).length > 0))
    const owed = yield* openLines(open, glass.calls)
    const standing = yield* glass.read(MOVE, open.flatMap(({ set }) => set.owed.filter((id) => id > 0)), ["state"])
    for (const { index, paying, set } of open) {
      const gone = set.owed.find((id) => id > 0 && !standing.has(id))
      if (gone !== undefined) {
        looking.refuse(index, { code: "REFERENCE-MISSING", detail: `${MOVE} ${gone}, which it settles, is gone` })
        continue
      }
      const pairs = pairsOf(paying.flatMap((move) => owed(move, set)), set.owed.map((move) => owed(move, set)))
      if (pairs.length === 0) continue
      const [payment] = set.payments ?? []
      looking.pends(index, {
        step: step.name,
        model: payment === undefined ? MOVE : PAYMENT,
        id: payment ?? paying[0] ?? 0,
        detail: "it and what it settles are both open; reconciling matches them",
        harmless: true,
      })
    }
  }
})
