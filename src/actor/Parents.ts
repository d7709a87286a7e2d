/**
 * Which Odoo records (parents) are being written right now, over all flows of one entity. Two calls that touch the same
 * task, sales order or invoice at once cost each other seconds in Odoo, or fail.
 *
 * All parents of an event are taken together or not at all, so nobody waits while holding. A holder is a batch: events
 * of one batch may share parents, except those whose names begin with `=`: of them only one event at a time is on its way.
 * Who was refused first has a claim that others respect, so a busy parent cannot starve
 * a flow.
 */
export type Holder = symbol

export class Parents {
  #held = new Map<string, { readonly holder: Holder; count: number }>()
  #claims = new Map<string, string>()
  /** Flows that were refused since `released` was called. */
  #refused = new Set<string>()
  #released: (flows: Iterable<string>) => void

  /** `released` is called with who was refused before when parents have become free. It may acquire at once. */
  constructor(released: (flows: Iterable<string>) => void) {
    this.#released = released
  }

  /** Takes all `names` for `holder`, or none. `flow` gets a claim on them when they are not to be had. */
  acquire(names: ReadonlyArray<string>, holder: Holder, flow: string): boolean {
    if (names.length === 0) return true
    if (!names.every((name) => this.#isFree(name, holder, flow))) {
      if (names.every((name) => (this.#claims.get(name) ?? flow) === flow)) {
        for (const name of names) this.#claims.set(name, flow)
      }
      this.#refused.add(flow)
      return false
    }
    for (const name of names) {
      const held = this.#held.get(name)
      if (held === undefined) this.#held.set(name, { holder, count: 1 })
      else held.count++
      if (this.#claims.get(name) === flow) this.#claims.delete(name)
    }
    return true
  }

  /** All of a batch at once: who wakes finds all of them free. A name stands there once per event. */
  release(names: Iterable<string>, holder: Holder): void {
    for (const name of names) {
      const held = this.#held.get(name)
      if (held !== undefined && held.holder === holder && --held.count === 0) this.#held.delete(name)
    }
    this.#tell()
  }

  /** Forgets the claims of a flow that stops. */
  withdraw(flow: string): void {
    for (const [name, claimant] of this.#claims) if (claimant === flow) this.#claims.delete(name)
    this.#refused.delete(flow)
    this.#tell()
  }

  get size(): number {
    return this.#held.size
  }

  #tell(): void {
    if (this.#refused.size === 0) return
    const refused = this.#refused
    this.#refused = new Set()
    this.#released(refused)
  }

  #isFree(name: string, holder: Holder, flow: string): boolean {
    const held = this.#held.get(name)
    if (held !== undefined) return held.holder === holder && !name.startsWith("=")
    const claimant = this.#claims.get(name)
    return claimant === undefined || claimant === flow
  }
}
