/**
 * What of a consumer's messages may be acknowledged to the broker with one line for all (`AckPolicy.All`): those below
 * the first one whose outcome is not durable. One entry per message above it; the intake bounds those.
 */
export class Floor {
  /** Reply subjects by position, from `#base` on. */
  #replies: Array<string> = []
  #base = 0
  /** Position of the first message that is not acknowledged. */
  #value = 0
  /** Positions above it that are. */
  readonly #acknowledged = new Set<number>()
  #told = 0

  /** The position of a message that arrived. */
  add(reply: string): number {
    return this.#base + this.#replies.push(reply) - 1
  }

  /** False when it was before. */
  acknowledge(position: number): boolean {
    if (position < this.#value || this.#acknowledged.has(position)) return false
    this.#acknowledged.add(position)
    while (this.#acknowledged.delete(this.#value)) this.#value++
    return true
  }

  /** The reply that acknowledges all up to the floor; undefined when it is where it was. */
  moved(): string | undefined {
    if (this.#value === this.#told) return undefined
    this.#told = this.#value
    const reply = this.#replies[this.#value - 1 - this.#base]
    this.#replies.splice(0, this.#value - this.#base)
    this.#base = this.#value
    return reply
  }
}
