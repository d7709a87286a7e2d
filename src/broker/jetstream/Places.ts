/**
 * Places for messages in this process, over all consumers. Each consumer has a few of its own, so that none starves; what
 * it takes beyond them comes out of a common stock. Two hundred entities with a backlog each then hold not much more than
 * two, and one alone holds as much as it may.
 */

/** A consumer's own. */
export const OWN_PLACES = 64

export class Places {
  #free: number

  /** @param stock Places beyond the consumers' own. */
  constructor(stock: number) {
    this.#free = stock
  }

  /** How many more messages a consumer may have that has `count`. */
  roomFor(count: number): number {
    return Math.max(0, OWN_PLACES - count) + Math.max(0, this.#free)
  }

  /** A consumer that had `before` messages has `after` now. */
  moved(before: number, after: number): void {
    this.#free += Math.max(0, before - OWN_PLACES) - Math.max(0, after - OWN_PLACES)
  }
}
