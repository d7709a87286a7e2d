/**
 * The stream sequence below which every event of a flow has a durable outcome. A successor starts right after it.
 *
 * Deliveries come in stream order; outcomes in any order. Memory: one entry per event above the checkpoint, so the
 * owner stops intake when `size` reaches its bound.
 */
export class Checkpoint {
  #sequences: Array<number> = []
  #head = 0
  #settled = new Set<number>()
  #value: number
  #last: number

  constructor(start: number) {
    this.#value = start
    this.#last = start
  }

  get value(): number {
    return this.#value
  }

  /** The highest stream sequence delivered. */
  get last(): number {
    return this.#last
  }

  /** Events delivered but above the checkpoint. */
  get size(): number {
    return this.#sequences.length - this.#head
  }

  /** Notes a delivery. False when it is a redelivery of one that is noted or settled already. */
  delivered(sequence: number): boolean {
    if (sequence <= this.#last) return false
    this.#last = sequence
    this.#sequences.push(sequence)
    return true
  }

  /** Notes a durable outcome and moves the checkpoint as far as it goes. */
  settled(sequence: number): void {
    if (sequence <= this.#value) return
    this.#settled.add(sequence)
    while (this.#head < this.#sequences.length && this.#settled.delete(this.#sequences[this.#head]!)) {
      this.#value = this.#sequences[this.#head++]!
    }
    if (this.#head > 4_096 && this.#head * 2 > this.#sequences.length) {
      this.#sequences = this.#sequences.slice(this.#head)
      this.#head = 0
    }
  }
}
