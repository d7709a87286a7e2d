import type { PgTypes } from "@effect/sql-pg"
import type { Answer, EventState, Fence, Question, Reference } from "../Ledger.ts"
import { bigint, text, textColumn } from "./parameters.ts"
import { mappingOf, type MappingRow } from "./rows.ts"

/** One thing that `weir.admit` knows. */
export interface AdmitRow extends MappingRow {
  readonly kind: "fence" | "seen" | "mapping" | "blocked" | "reference"
  /** From 1, of the question or the reference; 0 for the fence. */
  readonly position: bigint
  readonly state: EventState
  readonly hash: string
}

/** Each reference asked for once: a batch of time lines refers to few engagements. */
const distinct = (questions: ReadonlyArray<Question>) => {
  const places = new Map<string, number>()
  const references: Array<Reference> = []
  const placeOf = (reference: Reference): number => {
    const name = `${reference.flow}\n${reference.key}`
    const known = places.get(name)
    if (known !== undefined) return known
    places.set(name, references.length)
    return references.push(reference) - 1
  }
  return { perQuestion: questions.map((question) => question.references.map(placeOf)), references }
}

/** The parameters of `weir.admit`, and how its rows become answers: null when the epoch is stale. */
export const admission = (fence: Fence, flow: string, questions: ReadonlyArray<Question>): {
  readonly parameters: ReadonlyArray<PgTypes.Parameter>
  readonly answersOf: (rows: ReadonlyArray<AdmitRow>) => ReadonlyArray<Answer> | null
} => {
  const { perQuestion, references } = distinct(questions)
  return {
    parameters: [
      text(fence.entity),
      bigint(fence.epoch),
      text(flow),
      textColumn(questions, (question) => question.eventId),
      textColumn(questions, (question) => question.key),
      textColumn(references, (reference) => reference.flow),
      textColumn(references, (reference) => reference.key),
    ],
    answersOf: (rows) => {
      let owner = false
      const found = references.map((): Answer["mapping"] => null)
      const answers = questions.map(() => ({
        seen: null as Answer["seen"],
        mapping: null as Answer["mapping"],
        blocked: false,
      }))
      for (const row of rows) {
        const place = Number(row.position) - 1
        const answer = answers[place]
        if (row.kind === "fence") owner = true
        else if (row.kind === "reference") found[place] = mappingOf(row)
        else if (answer === undefined) continue
        else if (row.kind === "seen") answer.seen = { state: row.state, payloadHash: row.hash }
        else if (row.kind === "mapping") answer.mapping = mappingOf(row)
        else answer.blocked = true
      }
      if (!owner) return null
      return answers.map((answer, index) => ({
        ...answer,
        references: (perQuestion[index] ?? []).map((place) => found[place] ?? null),
      }))
    },
  }
}
