/** Bugs that the simulation must find, each a patch of the sources that never ships. */
export interface Mutant {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "a stale owner's statements are taken",
    file: "src/ledger/memory/Store.ts",
    find: "return state.lease?.epoch === fence.epoch",
    replace: "return state.lease !== null",
  },
  {
    name: "no version gate",
    file: "src/actor/admit.ts",
    find: 'if (isOlder(item.event.version, mapping)) return { _tag: "Superseded" }',
    replace: "void isOlder",
  },
  {
    name: "stale verdicts are not asked again",
    file: "src/actor/Pump.ts",
    find: "batch.items.filter((item) => item.stale)",
    replace: "batch.items.filter((item) => item.stale && item.attempts > 9)",
  },
  {
    name: "parents are ignored",
    file: "src/actor/Parents.ts",
    find: "if (names.length === 0) return true",
    replace: "if (names.length >= 0) return true",
  },
  {
    name: "the checkpoint passes what is not settled",
    file: "src/actor/Checkpoint.ts",
    find: "this.#settled.add(sequence)",
    replace: "this.#value = sequence",
  },
  {
    name: "load without create-or-skip",
    file: "src/odoo/plan/load.ts",
    find: '...(step.mode === "create" && !amend && { context: createOrSkip }),',
    replace: "",
  },
  {
    name: "followers overtake a held event of their key",
    file: "src/actor/admit.ts",
    find: 'if (answer.blocked) return { _tag: "Behind" }',
    replace: "",
  },
  {
    name: "who waits is not woken",
    file: "src/ledger/memory/settle.ts",
    find: "release(state) + releaseOwed(state)",
    replace: "releaseOwed(state)",
  },
  {
    name: "who is behind is not let go",
    file: "src/ledger/memory/settle.ts",
    find: "releaseOwed(state) + promote(state, touched)",
    replace: "releaseOwed(state)",
  },
  {
    name: "the outbox is emptied and not published",
    file: "src/actor/outbox.ts",
    find: 'yield* broker.publish(rows.map(({ publication }) => publication)).pipe(untilAvailable("outbox"))',
    replace: "void broker",
  },
  {
    name: "an event that was seen is new again",
    file: "src/actor/admit.ts",
    find: "if (seen !== null && !(again && !final.has(seen.state)))",
    replace: "if (seen !== null && seen.payloadHash === final.toString() && !(again && !final.has(seen.state)))",
  },
  {
    name: "totals are not compared",
    file: "src/odoo/plan/compare.ts",
    find: "if (first === undefined) continue",
    replace: 'if (first === undefined || first.startsWith("amount")) continue',
  },
  {
    name: "several events of one key at once",
    file: "src/actor/Schedule.ts",
    find: "const name = this.#queueOf.get(eventId) ?? (",
    replace: "const name = this.#queueOf.get(eventId) ?? eventId ?? (",
  },
  {
    name: "what was set aside overtakes what the stream brings again",
    file: "src/actor/Pump.ts",
    find: "streamSequence <= entered ||",
    replace: "streamSequence > 0 ||",
  },
  {
    name: "one identity under two keys",
    file: "src/actor/Schedule.ts",
    find: "const name = this.#queueOf.get(eventId) ?? (",
    replace: "const name = key ?? (",
  },
  {
    name: "ready events are not taken up",
    file: "src/ledger/MemoryLedger.ts",
    find: 'entry.state === "ready" && entry.record.flow === flow',
    replace: 'entry.state === "behind" && entry.record.flow === `${flow}?`',
  },
  {
    name: "a lost ack keeps its place",
    file: "src/actor/Pump.ts",
    find: "if (!inFlight.has(delivery.streamSequence)) delivery.ack()",
    replace: "if (inFlight.has(delivery.streamSequence)) break",
  },
  {
    name: "the gate lets everybody in",
    file: "src/odoo/Door.ts",
    find: "Math.floor(workers * share * this.#part + 1e-9)",
    replace: "Math.floor(workers * share * this.#part * 4)",
  },
  {
    name: "payments are posted and not matched",
    file: "src/odoo/plan/Plan.ts",
    find: "return runReconcile(step, batch, calls)",
    replace: "return Effect.void",
  },
  {
    name: "an acknowledgement before the outcome is durable",
    file: "src/actor/Settler.ts",
    find: "const outcomes: Array<Outcome> = []",
    replace:
      "const outcomes: Array<Outcome> = []\n    for (const { items } of requests) for (const { delivery } of items) delivery?.ack()",
  },
  {
    name: "a mode that is set during a drain shuts the way out",
    file: "src/actor/modes/Switchboard.ts",
    find: "if (!ending) Latch.closeUnsafe(line.wanted)",
    replace: "Latch.closeUnsafe(line.wanted)",
  },
  {
    name: "patience by the wall clock",
    file: "src/actor/persevere.ts",
    find: "const now = yield* elapsedMillis",
    replace: "const now = yield* Clock.currentTimeMillis",
  },
  {
    name: "a lane goes first for as long as it has something",
    file: "src/odoo/FairQueue.ts",
    find: "for (const state of [...this.#lanes.values()].sort((a, b) => a.turn - b.turn)) {",
    replace: "for (const state of this.#lanes.values()) {",
  },
]
