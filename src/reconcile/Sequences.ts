/** The sequences that the stream holds of an entity: eight bytes each, in ascending order, found by halving. */
export class Sequences {
  #values = new Float64Array(4_096)
  #size = 0

  /** Larger than all before. */
  add(sequence: number): void {
    if (this.#size === this.#values.length) {
      const larger = new Float64Array(this.#size * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#size++] = sequence
  }

  has(sequence: number): boolean {
    let [low, high] = [0, this.#size - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const value = this.#values[middle]!
      if (value === sequence) return true
      if (value < sequence) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  get first(): number {
    return this.#size === 0 ? Infinity : this.#values[0]!
  }

  get last(): number {
    return this.#size === 0 ? 0 : this.#values[this.#size - 1]!
  }
}
