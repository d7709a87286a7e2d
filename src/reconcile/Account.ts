/** The account of one flow in one period: what the stream, the ledger and Odoo say, added up. Plain data, no effects. */
import { BigDecimal } from "effect"
import { createHash } from "node:crypto"
import type { Control } from "../flow/Flow.ts"
import type { EventState } from "../ledger/Ledger.ts"

/** Every way in which the three do not say the same. Documented in `docs/reconcile.md`. */
export const mismatches = {
  "amount": "A record in Odoo has another amount than its event: somebody edited it",
  "value": "A record in Odoo has other values than its event, the amounts are right",
  "deleted": "The ledger has the event as applied, and its record is not in Odoo",
  "undone": "The ledger has the event as applied, and a step of it was taken back in Odoo",
  "unverified": "The ledger has the event as applied, and it cannot be told what stands of it",
  "hand-made": "A record in Odoo has no external id of Weir's: somebody made it",
  "unknown-record": "A record in Odoo has an external id of Weir's that the ledger knows nothing of",
  "ledger-missing": "The stream has the event below its flow's checkpoint, and the ledger does not know it",
  "stream-lost": "The ledger has the event, and the stream has lost it",
  "payload": "The stream has the event with another payload than the ledger",
  "source-count": "The source counts another number of events in the period",
  "source-amount": "The source has another control total in the period",
} as const

export type MismatchKind = keyof typeof mismatches
export const mismatchKinds = Object.keys(mismatches) as ReadonlyArray<MismatchKind>

/** Adds up to the same for the same events in whatever order: a sum of digests, 128 bits. */
export class SetHash {
  #sum = 0n

  add(eventId: string, payloadHash: string): void {
    const digest = createHash("sha256").update(`${eventId}\n${payloadHash}`).digest("hex").slice(0, 32)
    this.#sum = BigInt.asUintN(128, this.#sum + BigInt(`0x${digest}`))
  }

  get hex(): string {
    return this.#sum.toString(16).padStart(32, "0")
  }
}

/** Sums of decimals by name. */
export class Sums {
  readonly #sums = new Map<string, BigDecimal.BigDecimal>()

  add(name: string, amount: BigDecimal.BigDecimal): void {
    const before = this.#sums.get(name)
    this.#sums.set(name, before === undefined ? amount : BigDecimal.sum(before, amount))
  }

  get(name: string): BigDecimal.BigDecimal | undefined {
    return this.#sums.get(name)
  }

  get json(): { readonly [name: string]: string } {
    return Object.fromEntries(
      [...this.#sums].map(([name, sum]) => [name, BigDecimal.format(BigDecimal.normalize(sum))]),
    )
  }
}

/** `EUR amount_total`, or `unit_amount` when it is no money. */
export const nameOf = ({ currency }: Pick<Control, "currency">, field: string): string =>
  currency === null ? field : `${currency} ${field}`

type LedgerCounts = Record<"applied" | "superseded" | "dismissed" | "held" | "missing" | "coming", number>

export class FlowAccount {
  readonly flow: string
  /** Messages, and those of them that were there before. */
  events = 0
  duplicates = 0
  firstSequence = 0
  lastSequence = 0
  readonly streamHash = new SetHash()
  readonly ledgerHash = new SetHash()
  readonly states: LedgerCounts = { applied: 0, superseded: 0, dismissed: 0, held: 0, missing: 0, coming: 0 }
  /** What the events say, all of them, and those that stand for themselves in Odoo. */
  readonly said = new Sums()
  readonly due = new Sums()
  readonly standing = new Sums()
  records = 0
  /** What the source says about the period; null: nothing. */
  source: { readonly events: number; readonly amounts: { readonly [name: string]: string } } | null = null
  readonly mismatches = new Map<MismatchKind, number>()

  constructor(flow: string) {
    this.flow = flow
  }

  arrived(sequence: number): void {
    this.events++
    if (this.firstSequence === 0) this.firstSequence = sequence
    this.lastSequence = sequence
  }

  became(state: EventState): void {
    this.states[state === "applied" || state === "superseded" || state === "dismissed" ? state : "held"]++
  }

  differs(kind: MismatchKind): void {
    this.mismatches.set(kind, (this.mismatches.get(kind) ?? 0) + 1)
  }

  get count(): number {
    return [...this.mismatches.values()].reduce((sum, count) => sum + count, 0)
  }

  get json() {
    return {
      flow: this.flow,
      stream: {
        events: this.events,
        duplicates: this.duplicates,
        firstSequence: this.firstSequence,
        lastSequence: this.lastSequence,
        hash: this.streamHash.hex,
        amounts: this.said.json,
      },
      ledger: { ...this.states, hash: this.ledgerHash.hex },
      odoo: { records: this.records, due: this.due.json, standing: this.standing.json },
      source: this.source,
      mismatches: Object.fromEntries(this.mismatches),
      /** All that was to be there is there and says the same; what is held or coming is open, and no mismatch. */
      complete: this.count === 0,
      open: this.states.held + this.states.coming,
    }
  }
}
