/** Remembers what was published: which stream sequence is whose, and what each event refers to. */
import type { Published } from "../../broker/Broker.ts"
import type { Posting } from "./postings.ts"

/** `be01/customers/CUS-0001`. A part of an object, `ENG-0001.line-senior`, comes with the whole. */
const nameOf = (entity: string, { flow, key }: { readonly flow: string; readonly key: string }): string =>
  `${entity}/${flow}/${key.split(".", 1)[0]}`

export class Track {
  published = 0
  /** Dropped by the broker, which had the same message a moment ago. */
  dropped = 0
  /** Last stream sequence before the measured part. */
  measuredAfter: number
  /** First event of a key. */
  readonly #firsts = new Map<string, number>()
  readonly #needs = new Map<number, ReadonlyArray<string>>()

  constructor(lastSequence: number) {
    this.measuredAfter = lastSequence
  }

  note(postings: ReadonlyArray<Posting>, answers: ReadonlyArray<Published>): void {
    for (const [index, { event }] of postings.entries()) {
      const answer = answers[index]
      if (answer === undefined || answer.duplicate) {
        this.dropped++
        continue
      }
      this.published++
      if (event === null) continue
      const { entity, flow, key, references } = event
      const name = nameOf(entity, { flow, key })
      if (!this.#firsts.has(name)) this.#firsts.set(name, answer.streamSequence)
      if (references.length > 0) {
        this.#needs.set(answer.streamSequence, references.map((reference) => nameOf(entity, reference)))
      }
    }
  }

  /**
   * When all that an event needs was in the stream, by the broker's clock: its own storing, or that of the latest thing
   * it refers to, directly or by others. `stored` knows when each sequence was stored.
   */
  dueOf(stored: (sequence: number) => number | undefined): (sequence: number) => number | undefined {
    const known = new Map<number, number | undefined>()
    const due = (sequence: number): number | undefined => {
      if (known.has(sequence)) return known.get(sequence)
      let latest = stored(sequence)
      // Nothing refers to itself, but a file may say anything.
      known.set(sequence, latest)
      for (const name of this.#needs.get(sequence) ?? []) {
        const first = this.#firsts.get(name)
        const other = first === undefined ? undefined : due(first)
        if (other !== undefined && (latest === undefined || other > latest)) latest = other
      }
      known.set(sequence, latest)
      return latest
    }
    return due
  }
}
