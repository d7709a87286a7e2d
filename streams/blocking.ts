/**
 * The mark of contested invoices in Odoo: `payment_state` is `blocked`. It survives payments, even full ones, so who wants
 * to know what is open looks at the residual; taken away, Odoo computes the state anew.
 */
import { type Update, update } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import type { Mapping } from "../src/ledger/Ledger.ts"

const BLOCKED = "blocked"

export const block = <D>(invoices: (write: Write<D>) => ReadonlyArray<Mapping>): Update<D> =>
  update({
    name: "block",
    model: "account.move",
    records: (write) => invoices(write).map(({ id }) => id),
    values: () => ({ payment_state: BLOCKED }),
    posts: true,
  })

export const unblock = <D>(invoices: (write: Write<D>) => ReadonlyArray<Mapping>): Update<D> =>
  update({
    name: "unblock",
    model: "account.move",
    records: (write) => invoices(write).map(({ id }) => id),
    // Odoo makes of it what it is.
    values: () => ({ payment_state: "not_paid" }),
    only: (invoice) => invoice["payment_state"] === BLOCKED,
    posts: true,
  })
