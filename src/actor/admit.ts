/** Third stage: what the ledger knows about an event decides what is to be done with it. */
import type { Answer, Mapping, Reference } from "../ledger/Ledger.ts"
import { liftOf, standsIn } from "./hold.ts"
import type { Item, Payload, Replayed, Verdict } from "./Item.ts"

/**
 * What the ledger is asked about an event, in this order: what must be there, what may hold it back, what its plan wants
 * to know of.
 */
export const referencesOf = (payload: Payload | null): ReadonlyArray<Reference> => {
  if (payload === null) return []
  const { consults, holds, references } = payload
  return holds.length + consults.length === 0 ? references : [...references, ...holds, ...consults]
}

const final = new Set<string>(["applied", "superseded", "dismissed"])

/** The verdict on `item`, given what the ledger answered. Pure; the order of the questions matters. */
export const judge = (item: Item, answer: Answer): Verdict =>
  item.replay === undefined ? judgeArrived(item, answer) : judgeReplayed(item, item.replay, answer)

/** `rewrites`: a record of its key that is gone, or a draft, may be written again by an event of another identity. */
const judgeArrived = (item: Item, answer: Answer, rewrites = false): Verdict => {
  const { seen, mapping } = answer
  const again = item.delivery === null
  if (seen !== null && !(again && !final.has(seen.state))) {
    return seen.payloadHash === item.event.payloadHash || again ? { _tag: "Duplicate" } : {
      _tag: "Park",
      code: "EVENT-CHANGED",
      detail: `event ${item.event.eventId} came before with another payload and is ${seen.state}`,
      apart: true,
    }
  }
  if (answer.blocked) return { _tag: "Behind" }
  if (item.payload === null) return { _tag: "Park", ...item.rejection! }
  if (mapping !== null) {
    if (item.payload.spec.versions === "once" && !rewrites) {
      // Its key went on without it: a correction was quicker.
      if (isOvertaken(item.event.version, mapping)) return { _tag: "Superseded" }
      return {
        _tag: "Park",
        code: "EVENT-CHANGED",
        detail: `${item.event.key} was written before by another event (record ${mapping.model} ${mapping.id})`,
      }
    }
    if (isOlder(item.event.version, mapping)) return { _tag: "Superseded" }
  }
  return obstacleOf(item.payload, answer) ?? writeOf(item.payload, answer)
}

/** What it has to wait for. */
const obstacleOf = ({ consults, holds, references }: Payload, answer: Answer): Verdict | undefined => {
  const alone = holds.length + consults.length === 0
  const needed = alone ? answer.references : answer.references.slice(0, references.length)
  const missing = needed.indexOf(null)
  if (missing >= 0) return { _tag: "Wait", on: references[missing]!, code: "REFERENCE-MISSING" }
  for (const [n, hold] of holds.entries()) {
    const known = answer.references[references.length + n]
    if (known != null && standsIn(known)) return { _tag: "Wait", on: liftOf(hold, known), code: "ON-HOLD" }
  }
  return undefined
}

const writeOf = ({ consults, holds, references }: Payload, answer: Answer): Extract<Verdict, { _tag: "Write" }> => ({
  _tag: "Write",
  references: answer.references.slice(0, references.length) as ReadonlyArray<Mapping>,
  ...(consults.length > 0 && { consulted: answer.references.slice(references.length + holds.length) }),
  previous: answer.mapping,
})

/**
 * The same for an event that a replay brings. One that is new to the ledger is judged as if it had just arrived. One that
 * was applied is written again when something of it is not there; in all other cases it is left alone, and the ledger
 * with it: what is held is the exception desk's, and a later version of the key has the last word.
 */
const judgeReplayed = (item: Item, replay: Replayed, answer: Answer): Verdict => {
  const { mapping, seen } = answer
  if (seen === null) return judgeArrived(item, answer, replay.gone || replay.amend)
  const { payload, event: { version } } = item
  if (seen.state !== "applied" || answer.blocked || payload === null || !replay.undone) return { _tag: "Duplicate" }
  if (mapping !== null && isOvertaken(version, mapping)) return { _tag: "Duplicate" }
  return obstacleOf(payload, answer) === undefined
    ? { ...writeOf(payload, answer), again: true }
    : { _tag: "Duplicate" }
}

/** A larger sequence of the same key is applied. */
const isOvertaken = (version: number | null, mapping: Mapping): boolean =>
  version !== null && mapping.version !== null && version < mapping.version

/** The version gate: a sequence that is not larger than the applied one has been overtaken. */
const isOlder = (version: number | null, mapping: Mapping): boolean =>
  version !== null && mapping.version !== null && version <= mapping.version

/**
 * The identity under which an event is kept. A changed payload under a known id gets an id of its own, so that both
 * stay in the ledger.
 */
export const identityOf = (item: Item): string =>
  item.verdict._tag === "Park" && item.verdict.apart === true
    ? `${item.event.eventId}@${item.event.streamSequence}`
    : item.event.eventId
