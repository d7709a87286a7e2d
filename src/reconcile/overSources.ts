/** What the sources say of the period against what the stream has of it. */
import { BigDecimal, Effect } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import { Recall } from "../ledger/Recall.ts"
import { aboutKey, type Proof } from "./Proof.ts"
import { PERIOD_TOTALS, totalsIn } from "./sourceTotals.ts"

/** The newest totals of each flow against what the stream's events say. */
export const overSources = Effect.fnUntraced(function* ({ accounts, entity, noted, period }: Proof) {
  const names = [...accounts.keys()]
  const questions = names.map((flow) => ({ eventId: flow, key: `${period}-${flow}`, references: [] }))
  const answers = yield* Recall.use((recall) => recall.answers(entity, PERIOD_TOTALS, questions)).pipe(
    untilAvailable("reconciliation"),
  )
  names.forEach((flow, n) => {
    const account = accounts.get(flow)!
    const totals = totalsIn(answers[n]!.mapping)
    if (totals === null) return
    account.source = totals
    const about = aboutKey(flow, "period.totals")
    const unique = account.events - account.duplicates
    if (totals.events !== unique) noted("source-count", flow, about, { source: totals.events, stream: unique })
    for (const [name, amount] of Object.entries(totals.amounts)) {
      const said = account.said.get(name) ?? BigDecimal.make(0n, 0)
      if (BigDecimal.equals(said, BigDecimal.fromStringUnsafe(amount))) continue
      noted("source-amount", flow, about, { name, source: amount, stream: BigDecimal.format(said) })
    }
  })
})
