/**
 * Merging two partners by Odoo's wizard: everything that names the one names the other afterwards, its external id too. A
 * repetition finds that the external id leads to the partner that remains, and does nothing.
 */
import type { Json } from "../src/odoo/Odoo.ts"
import { check, invoke, load, type Step, update } from "../src/flow/Step.ts"
import type { Write } from "../src/flow/Write.ts"
import { customerId } from "./keys.ts"

const WIZARD = "base.partner.merge.automatic.wizard"

interface Merge<D> {
  /** Step whose record ends; it was loaded under the external id of the event's key. */
  readonly from: string
  /** Database id of the partner that remains; undefined: nothing is merged. */
  into(write: Write<D>): number | undefined
  /** Its e-mail address: only administrators merge contacts with different ones. */
  email(write: Write<D>): unknown
}

/** Steps that merge one partner into another, and make sure that it is done. */
export const mergeSteps = <D extends { readonly key: string }>(merge: Merge<D>): ReadonlyArray<Step<D>> => {
  /** Both, while they are two. */
  const pair = (write: Write<D>): readonly [ending: number, remaining: number] | undefined => {
    const ending = write.ids[merge.from]
    const remaining = merge.into(write)
    return ending === undefined || remaining === undefined || ending === remaining ? undefined : [ending, remaining]
  }
  const own = (write: Write<D>): string => customerId(write.company.entity, write.data.key)
  return [
    update<D>({
      name: "sameAddress",
      model: "res.partner",
      records: (write) => pair(write)?.slice(0, 1) ?? [],
      values: (write) => ({ email: (merge.email(write) ?? false) as Json }),
    }),
    load<D>({
      name: "wizard",
      model: WIZARD,
      mode: "upsert",
      rows: (write) => {
        const both = pair(write)
        return both === undefined ? [] : {
          externalId: `${own(write)}.into-${both[1]}`,
          values: { "partner_ids/.id": both.join(","), "dst_partner_id/.id": String(both[1]), state: "selection" },
        }
      },
    }),
    invoke<D>({
      name: "merge",
      model: WIZARD,
      method: "action_merge",
      records: ({ ids }) => ids["wizard"] === undefined ? [] : [ids["wizard"]],
    }),
    load<D>({
      name: "followed",
      model: "res.partner",
      mode: "create",
      rows: (write) => pair(write) === undefined ? [] : { externalId: own(write), values: {} },
    }),
    check<D>({
      name: "merged",
      refuse: (write) => {
        const both = pair(write)
        return both === undefined || write.ids["followed"] === both[1] ? undefined : {
          code: "ODOO-UNEXPECTED-STATE",
          detail: `res.partner ${both[0]} and ${both[1]} are still two after merging`,
        }
      },
    }),
  ]
}
