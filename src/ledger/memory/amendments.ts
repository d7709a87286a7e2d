/** `Amendments` in memory, step by step as `../sql/desk/amendments.ts`. */
import { createHash } from "node:crypto"
import { type Amendment, Amendments, type AmendmentState, type Verdict } from "../Amendments.ts"
import { printable } from "../text.ts"
import { move, remember } from "./history.ts"
import { type HeldEntry, nameOf, promote } from "./state.ts"
import type { Store } from "./Store.ts"

export interface AmendmentEntry {
  amendment: Amendment
  readonly baseHash: string
  /** The payload as it came. */
  readonly original: Uint8Array
  readonly data: Uint8Array
  readonly key: string
  /** It was archived and dropped. */
  archived?: true
}

const hashOf = ({ message }: HeldEntry): string => createHash("sha256").update(message.data).digest("hex")

export const makeAmendments = (store: Store): typeof Amendments.Service => {
  const { amendments, call, of } = store

  const parked = (entity: string, eventId: string): HeldEntry | null => {
    const entry = of(entity).held.get(eventId)
    return entry?.state === "parked" ? entry : null
  }

  const close = (entry: AmendmentEntry, state: AmendmentState, by: string, reason: string, nowMillis: number): void => {
    const decided = { decidedBy: printable(by), decidedAtMillis: nowMillis, decidedReason: printable(reason) }
    entry.amendment = { ...entry.amendment, state, ...decided }
  }

  const decide = (id: number, apply: boolean, by: string, reason: string, nowMillis: number): Verdict => {
    const entry = amendments[id - 1]
    if (entry === undefined || entry.archived === true) return "none"
    const { entity, eventId, financial, proposedBy, state } = entry.amendment
    if (state !== "proposed") return "decided"
    if (apply && financial && proposedBy === printable(by)) return "same-person"
    const held = parked(entity, eventId)
    if (held === null || (apply && hashOf(held) !== entry.baseHash)) {
      close(entry, "outdated", by, reason, nowMillis)
      return held === null ? "gone" : "changed"
    }
    close(entry, apply ? "applied" : "rejected", by, reason, nowMillis)
    const whole = of(entity)
    if (!apply) {
      remember(whole, held, "rejected", by, { amendment: id, reason }, nowMillis)
      return "rejected"
    }
    const { record } = held
    const change = {
      state: "ready",
      deadlineMillis: null,
      message: { ...held.message, data: entry.data.slice() },
      record: { ...record, key: entry.key },
    } as const
    const acting = { actor: by, reason: `amendment ${id}: ${reason}`, decision: "edited", redrive: null } as const
    move(whole, held, change, nowMillis, acting)
    if (entry.key !== record.key) {
      const known = whole.events.get(eventId)
      if (known !== undefined) whole.events.set(eventId, { ...known, record: { ...known.record, key: entry.key } })
      promote(whole, new Set([nameOf(record.flow, record.key)]))
    }
    return "applied"
  }

  return Amendments.of({
    propose: (proposal) =>
      call("propose", (now) => {
        const { baseHash, by, changes, data, financial, reason } = proposal
        const [entity, eventId] = [proposal.entity, printable(proposal.eventId)]
        const held = parked(entity, eventId)
        if (held === null) return { _tag: "NoException" }
        if (hashOf(held) !== baseHash) return { _tag: "Changed" }
        for (const open of amendments) {
          const { amendment } = open
          if (amendment.state !== "proposed" || amendment.entity !== entity || amendment.eventId !== eventId) continue
          close(open, "outdated", by, "another one took its place", now)
        }
        const id = amendments.length + 1
        amendments.push({
          baseHash,
          original: held.message.data.slice(),
          data: data.slice(),
          key: printable(proposal.key),
          amendment: {
            id,
            entity,
            eventId,
            state: "proposed",
            changes,
            financial,
            reason: printable(reason),
            proposedBy: printable(by),
            proposedAtMillis: now,
            decidedBy: null,
            decidedAtMillis: null,
            decidedReason: null,
          },
        })
        remember(of(entity), held, "proposed", by, { amendment: id, reason, financial }, now)
        if (!financial) decide(id, true, by, reason, now)
        return { _tag: "Proposed", id, applied: !financial }
      }),
    decide: (id, { apply, by, reason }) => call("decide", (now) => decide(id, apply, by, reason, now)),
    one: (id) =>
      call("amendment", () => {
        const entry = amendments[id - 1]
        return entry === undefined || entry.archived === true ? null : entry.amendment
      }),
    list: ({ before, entities, limit, state }) =>
      call(
        "amendments",
        () =>
          amendments.filter(({ archived }) => archived !== true).map(({ amendment }) => amendment).toReversed().filter((
            one,
          ) =>
            (entities === null || entities.includes(one.entity)) &&
            (state === undefined || one.state === state) &&
            (before === null || one.id < before)
          ).slice(0, limit),
      ),
  })
}
