/**
 * The completeness proof of one legal entity and month: stream, ledger and Odoo against each other.
 *
 *     overStream ─► events of the period, by their control day ─┬─► ledger: state, payload hash
 *                                                               └─► Odoo: what stands, field by field; amounts
 *     overLedger ─► events that the stream does not have
 *     overOdoo ───► records of the period that nobody sent
 *     overSources ─► counts and totals that the sources published
 *
 * It reads only, and begins anew when the process dies.
 */
import { Clock, Effect } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow } from "../flow/Flow.ts"
import { type Run, type RunJson, Runs } from "../ledger/Runs.ts"
import type { Company } from "../odoo/Company.ts"
import { overLedger } from "./overLedger.ts"
import { overOdoo } from "./overOdoo.ts"
import { overSources } from "./overSources.ts"
import { overStream } from "./overStream.ts"
import { makeProof, type Proof } from "./Proof.ts"

/** The accounts of the flows that have something to tell. */
const linesOf = ({ accounts }: Proof) =>
  [...accounts.values()].filter(({ count, events, source }) => events + count > 0 || source !== null)

const reportOf = (proof: Proof, atMillis: number) => {
  const { count: { mismatches, seen }, entity, fromMillis, period, sequences } = proof
  const lines = linesOf(proof)
  return {
    entity,
    period,
    at: new Date(atMillis).toISOString(),
    scanned: { from: new Date(fromMillis).toISOString(), lastSequence: sequences.last, messages: seen },
    complete: lines.every(({ count }) => count === 0),
    mismatches,
    flows: lines.map(({ json }) => json),
  }
}

export const reconcile = Effect.fn("Reconcile.run")(function* (run: Run, company: Company, all: ReadonlyArray<Flow>) {
  const runs = yield* Runs
  const proof = yield* makeProof(run, company, all)
  if (!(yield* overStream(proof))) return
  const now = yield* Clock.currentTimeMillis
  yield* overLedger(proof, now + 1)
  yield* overOdoo(proof)
  yield* overSources(proof)
  yield* proof.tell
  yield* runs.change(run.entity, run.runId, ["examining"], {
    state: "done",
    result: reportOf(proof, now) as unknown as RunJson,
    totals: Object.fromEntries(linesOf(proof).map(({ flow, mismatches }) => [flow, Object.fromEntries(mismatches)])),
  }).pipe(untilAvailable("reconciliation"))
})
