/** The invoke step: a method that may be repeated. Events with the same arguments share a call. */
import type { Invoke } from "../../flow/Step.ts"
import { Effect } from "effect"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { Json } from "../Odoo.ts"
import type { Batch } from "./Batch.ts"
import { isolate } from "./isolate.ts"

interface Wanted {
  readonly index: number
  readonly ids: ReadonlyArray<number>
  readonly args: { readonly [name: string]: Json }
}

export const runInvoke = Effect.fnUntraced(function* (step: Invoke<unknown>, batch: Batch, calls: CompanyCalls) {
  const groups = new Map<string, Array<Wanted>>()
  for (const index of batch.alive) {
    const write = batch.writes[index]!
    const ids = step.records(write)
    if (ids.length === 0) continue
    const args = step.args?.(write) ?? {}
    const name = JSON.stringify(args)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [{ index, ids, args }])
    else group.push({ index, ids, args })
  }
  for (const group of groups.values()) {
    yield* isolate(group, {
      call: (part) =>
        calls.call(step.model, step.method, {
          ids: [...new Set(part.flatMap(({ ids }) => ids))],
          args: part[0]!.args,
        }),
      refuse: ({ index }, error) => batch.refuseFor(index, error),
    })
  }
})
