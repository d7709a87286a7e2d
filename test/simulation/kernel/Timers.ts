/** A heap of what happens when: earliest first, and in the order of adding at the same instant. */
export interface Timer {
  readonly atMillis: number
  readonly task: () => void
}

interface Entry extends Timer {
  readonly order: number
  cancelled: boolean
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.atMillis === b.atMillis ? a.order < b.order : a.atMillis < b.atMillis

export class Timers {
  readonly #heap: Array<Entry> = []
  #order = 0

  /** Answers how to take it back. */
  add(atMillis: number, task: () => void): () => void {
    const entry: Entry = { atMillis, task, order: this.#order++, cancelled: false }
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
    return () => {
      entry.cancelled = true
    }
  }

  /** The next one up to `untilMillis`, which is no longer here afterwards. */
  next(untilMillis: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (!first.cancelled && first.atMillis > untilMillis)) return undefined
      this.#pop()
      if (!first.cancelled) return first
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
