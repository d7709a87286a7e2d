/** What Weir says when what it depends on goes away, and when it is back. */
import type { Installation } from "./Installation.ts"

export type Name = keyof Installation["servers"]

/** What Weir says at the start when the server is away, when it goes away in the middle of work, and once it is back. */
export const words: Readonly<
  Record<Name, { readonly atStart: RegExp; readonly midway: RegExp; readonly back: RegExp }>
> = {
  broker: {
    atStart: /^broker waits for a dependency and goes on by itself: no connection to nats:/u,
    midway: /^lost the connection to NATS at .*, reconnecting$/u,
    back: /^broker goes on after \d+ tries|^connected to NATS at .* again$/u,
  },
  database: {
    atStart: /^ledger waits for a dependency and goes on by itself: PostgreSQL is away: /u,
    midway: /^\w+ waits for a dependency and goes on by itself: PostgreSQL is away: /u,
    back: /goes on after \d+ tries$/u,
  },
  odoo: {
    atStart: /^cannot start yet, trying again by itself: ODOO-(UNAVAILABLE|NO-ANSWER): /u,
    // A batch says it, or the circuit, which lets no further batch find out.
    midway:
      /^\d+ \w+ wait: .* did not go through \(ODOO-(UNAVAILABLE|NO-ANSWER)\), trying again by itself\.|^circuit odoo open: no calls but probes until it answers\./u,
    back: /^\d+ \w+ went through at try \d+$|^circuit odoo closed: it answers again, work goes on$/u,
  },
}
