/**
 * Holds: an event may set one on its own business key (a dispute that is opened), a later one of the key lifts it, and
 * events that name the key in `holds` wait in between.
 *
 * That it stands is a mark in the key's mapping: the stream sequence of the event that set it. Who waits does so for a key
 * that does not exist before the hold is lifted, `<key>#<that sequence>`: the lifting event makes it exist, which releases
 * them, and a hold that is set again later is another one. Setting a hold that stands changes nothing.
 */
import type { Mapping, Reference } from "../ledger/Ledger.ts"

/** Role among the mapping's links; no step of a plan may have this name. */
export const HELD = "held"

export const standsIn = ({ links }: Mapping): boolean => links[HELD] !== undefined

/** What is applied when the hold that stands in `mapping` is lifted. `#` is in no business key. */
export const liftOf = ({ flow, key }: Reference, mapping: Mapping): Reference => ({
  flow,
  key: `${key}#${mapping.links[HELD]}`,
})
