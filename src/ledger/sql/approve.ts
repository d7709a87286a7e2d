/**
 * An approval: a mapping without an Odoo record, which releases whoever waits for it. Three statements, one transaction. And
 * the release of who waits for something that is not an event.
 */

export const lockLease = `select from weir.lease where entity = $1 for no key update`

/** The first one stands. */
export const insertApproval = `
insert into weir.mapping (entity, flow, key, model, odoo_id, external_id)
values ($1, $2, $3, 'approval', 0, $4)
on conflict (entity, flow, key) do nothing`

/** As above, for the owner alone: no row when its epoch is stale. */
export const lockOwnLease = `select 1 as own from weir.lease where entity = $1 and epoch = $2 for no key update`

export const releaseWaiting = `select weir.release($1, array[$2]::text[], array[$3]::text[], '{}'::text[]) as n`
