/** Writes as the engine would hand them to a plan's steps, for tests of single steps. */
import { Schema } from "effect"
import type { EventSpec } from "../../src/flow/Flow.ts"
import type { Refusal, Row, Step } from "../../src/flow/Step.ts"
import type { Write } from "../../src/flow/Write.ts"
import { catalog } from "../../streams/catalog.ts"
import { company } from "./samples.ts"

export const specOf = (type: string): EventSpec<unknown> => {
  const spec = catalog.flatMap((flow) => flow.events).find((candidate) => candidate.type === type)
  if (spec === undefined) throw new Error(`no spec of ${type}`)
  return spec
}

export const writeOf = (type: string, wire: unknown, known: Partial<Write<unknown>> = {}): Write<unknown> => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return { data, key: spec.key(data), company, references: [], previous: null, ids: {}, read: {}, ...known }
}

const stepOf = (type: string, name: string): Step<unknown> => {
  const step = specOf(type).plan.find((candidate) => candidate.name === name)
  if (step === undefined) throw new Error(`no step ${name} of ${type}`)
  return step
}

export const rowsOf = (type: string, name: string, write: Write<unknown>): Row | ReadonlyArray<Row> | Refusal => {
  const step = stepOf(type, name)
  if (step._tag !== "Load") throw new Error(`${name} is no load step`)
  return step.rows(write)
}

/** What a check step says. */
export const refusalOf = (type: string, name: string, write: Write<unknown>): Refusal | undefined => {
  const step = stepOf(type, name)
  if (step._tag !== "Check") throw new Error(`${name} is no check step`)
  return step.refuse(write)
}

/** Kind, name and model of each step. */
export const outline = (type: string): ReadonlyArray<string> =>
  specOf(type).plan.map((step) =>
    [step._tag, step.name, "model" in step ? step.model : "", "mode" in step ? step.mode : ""].filter(Boolean).join(" ")
  )

export const coordinates = (type: string, wire: unknown) => {
  const spec = specOf(type)
  const data = Schema.decodeUnknownSync(spec.schema)(wire)
  return {
    key: spec.key(data),
    parents: spec.parents(data),
    references: spec.references(data),
    versions: spec.versions,
  }
}
