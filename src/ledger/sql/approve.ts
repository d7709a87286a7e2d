/** An approval: a mapping without an Odoo record, which releases whoever waits for it. Three statements, one transaction. */

export const lockLease = `select from weir.lease where entity = $1 for no key update`

/** The first one stands. */
export const insertApproval = `
insert into weir.mapping (entity, flow, key, model, odoo_id, external_id)
values ($1, $2, $3, 'approval', 0, $4)
on conflict (entity, flow, key) do nothing`

export const releaseApproved = `select weir.release($1, array[$2]::text[], array[$3]::text[], '{}'::text[]) as n`
