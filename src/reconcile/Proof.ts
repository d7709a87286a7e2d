/**
 * One proof while it is being made: whose month, the accounts of its flows, and the mismatches found so far, which are
 * kept in the run as they come.
 */
import { Effect } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow } from "../flow/Flow.ts"
import { Ledger, type LedgerError } from "../ledger/Ledger.ts"
import { type Run, type RunEvent, type RunJson, Runs } from "../ledger/Runs.ts"
import type { Company } from "../odoo/Company.ts"
import { type Examiner, makeExaminer } from "../replay/Examiner.ts"
import { FlowAccount, type MismatchKind } from "./Account.ts"
import { daysOf, LEAD_MILLIS, requestOf } from "./Request.ts"
import { Sequences } from "./Sequences.ts"

/** Mismatches that are kept event by event; all are counted. */
const MAX_KEPT = 100_000

/** What a mismatch is about: an event, or a record under the name `<model> <id>`. */
export type About = Pick<RunEvent, "eventId" | "type" | "key" | "streamSequence" | "storedAtMillis">

/** Something that no event of the stream stands for. */
export const aboutKey = (key: string, type = ""): About => ({
  eventId: "",
  type,
  key,
  streamSequence: 0,
  storedAtMillis: 0,
})

export interface Proof {
  readonly entity: string
  readonly company: Company
  /** Month, with its first and last day. */
  readonly period: string
  readonly first: string
  readonly last: string
  /** Since when stored messages are looked at. */
  readonly fromMillis: number
  readonly flows: ReadonlyArray<Flow>
  /** By flow, where it stood when the proof began. */
  readonly checkpoints: ReadonlyMap<string, number>
  readonly accounts: ReadonlyMap<string, FlowAccount>
  readonly examiner: Examiner
  /** Of the messages that were read. */
  readonly sequences: Sequences
  readonly count: {
    seen: number
    selected: number
    mismatches: number
  }
  /** Counts a mismatch; `tell` keeps it. */
  readonly noted: (kind: MismatchKind, flow: string, about: About, detail: RunJson) => void
  /** Keeps what was noted. False: somebody has ended the run. */
  readonly tell: Effect.Effect<boolean, LedgerError>
}

export const makeProof = Effect.fnUntraced(function* (run: Run, company: Company, all: ReadonlyArray<Flow>) {
  const { entity, runId } = run
  const { flows: wanted, period } = requestOf(run)
  const flows = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name))
  const { first, last } = daysOf(period)
  const runs = yield* Runs
  const tallies = yield* Ledger.use((ledger) => ledger.tallies(entity)).pipe(untilAvailable("reconciliation"))
  const checkpoints = new Map(tallies.map(({ checkpoint, flow }) => [flow, checkpoint]))
  const accounts = new Map(flows.map(({ name }) => [name, new FlowAccount(name)]))
  const count = { seen: 0, selected: 0, mismatches: 0 }
  let kept: Array<RunEvent> = []
  const proof: Proof = {
    entity,
    company,
    period,
    first,
    last,
    fromMillis: Date.parse(`${first}T00:00:00Z`) - LEAD_MILLIS,
    flows,
    checkpoints,
    accounts,
    examiner: yield* makeExaminer(company, flows, { subject: `erp.${entity}.>` }, checkpoints),
    sequences: new Sequences(),
    count,
    noted: (kind, flow, about, detail) => {
      accounts.get(flow)?.differs(kind)
      if (++count.mismatches > MAX_KEPT) return
      kept.push({ ...about, ordinal: count.mismatches, flow, finding: kind, detail, message: null, outcome: null })
    },
    tell: Effect.suspend(() => {
      const events = kept
      kept = []
      return runs.keep(entity, runId, events).pipe(untilAvailable("reconciliation"))
    }).pipe(
      Effect.andThen(
        Effect.suspend(() => runs.change(entity, runId, ["examining"], { progress: { ...count } })).pipe(
          untilAvailable("reconciliation"),
        ),
      ),
      Effect.map((changed) => changed !== null),
    ),
  }
  return proof
})
