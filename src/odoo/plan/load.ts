/**
 * The load step: `load` of Odoo's models (`odoo/orm/models.py`, `BaseModel.load`), which creates record and external id in
 * one transaction. With the context `{mode: "update", noupdate: true}` it leaves alone what stands (create-or-skip);
 * without, it updates. Atomic per call, so a failed call is isolated to its guilty records (`isolate.ts`).
 */
import { Effect } from "effect"
import type { Load, Refusal, Row } from "../../flow/Step.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import { type Json, OdooError } from "../Odoo.ts"
import { reportUnknown, shapeOf } from "../unknown.ts"
import type { Batch } from "./Batch.ts"
import { isolate } from "./isolate.ts"
import { type Group, Groups, heightOf, type Matrix, matrixOf, recordAt, type Unit } from "./rows.ts"

/** Most rows of the matrix in one call, continuation rows included; a single record with more goes alone. */
export const MAX_ROWS = 1000

export const createOrSkip = { mode: "update", noupdate: true } as const

const isRefusal = (value: Row | ReadonlyArray<Row> | Refusal): value is Refusal => "code" in value && "detail" in value

/** The ids of a successful `load`, one per record, in the order of the records. */
export const idsOf = (
  operation: string,
  answer: Json,
  records: number,
): Effect.Effect<ReadonlyArray<number>, OdooError> => {
  const ids = typeof answer === "object" && answer !== null && "ids" in answer ? answer.ids : undefined
  return Array.isArray(ids) && ids.length === records && ids.every((id) => typeof id === "number")
    ? Effect.succeed(ids as ReadonlyArray<number>)
    : Effect.fail(
      new OdooError({
        code: "ODOO-UNKNOWN-ANSWER",
        operation,
        message: `load of ${records} records gave other ids`,
        shape: shapeOf(answer),
      }),
    ).pipe(Effect.tapError(reportUnknown))
}

/** Cuts records into calls of at most `MAX_ROWS` rows. Pure. */
export const chunksOf = (units: ReadonlyArray<Unit>): ReadonlyArray<ReadonlyArray<Unit>> => {
  const chunks: Array<Array<Unit>> = []
  let height = MAX_ROWS
  for (const unit of units) {
    const own = heightOf(unit.row)
    if (height + own > MAX_ROWS) {
      chunks.push([])
      height = 0
    }
    chunks[chunks.length - 1]!.push(unit)
    height += own
  }
  return chunks
}

/** An event's records of one call: they stand or fall together. */
type Share = ReadonlyArray<Unit>

const sharesOf = (units: ReadonlyArray<Unit>): ReadonlyArray<Share> => {
  const shares: Array<Array<Unit>> = []
  let last: Array<Unit> | undefined
  for (const unit of units) {
    if (last !== undefined && last[0]!.index === unit.index) last.push(unit)
    else shares.push(last = [unit])
  }
  return shares
}

/**
 * Whom a failed load names. Odoo tries record by record after the batch has failed, and rolls all back at each failure;
 * a record that builds on another one of the call may be blamed for that. So an event with several records is sure to be
 * guilty only when nobody else is named.
 */
const namedIn = (error: OdooError, shares: ReadonlyArray<Share>, matrix: Matrix) => {
  const failures = error.failures ??
    (error.row === undefined ? [] : [{ row: error.row, code: error.code, message: error.message }])
  const owner: Array<Share> = []
  for (const share of shares) for (const _ of share) owner.push(share)
  const guilty = new Map<Share, OdooError>()
  const suspects = new Set<Share>()
  for (const { code, message, row } of failures) {
    const share = owner[recordAt(matrix, row)]
    if (share !== undefined && !guilty.has(share)) {
      guilty.set(share, new OdooError({ code, operation: error.operation, message }))
    }
  }
  if (guilty.size > 1) {
    for (const share of guilty.keys()) {
      if (share.length === 1) continue
      guilty.delete(share)
      suspects.add(share)
    }
  }
  return { guilty, suspects }
}

const loadGroup = (
  step: Load<unknown>,
  group: Group,
  units: ReadonlyArray<Unit>,
  batch: Batch,
  calls: CompanyCalls,
  amend: boolean,
) => {
  const operation = `${step.model}/load`
  // Of the call that has just been made; isolation asks for the names right after it.
  let matrix: Matrix | undefined
  return isolate(sharesOf(units), {
    call: (shares) => {
      const called = shares.length === 1 ? shares[0]! : shares.flat()
      matrix = matrixOf(group, called.map(({ row }) => row))
      return calls.call(step.model, "load", {
        args: { fields: matrix.fields, data: matrix.data },
        size: matrix.data.length,
        ...(step.mode === "create" && !amend && { context: createOrSkip }),
      }).pipe(
        Effect.flatMap((answer) => idsOf(operation, answer, called.length)),
        Effect.map((ids) => {
          for (let n = 0; n < called.length; n++) {
            const { at, index, row: { as, externalId } } = called[n]!
            const id = ids[n]!
            batch.loaded(index, step.name, { model: step.model, externalId, id }, at)
            if (as !== undefined) batch.named(index, as, { model: step.model, id, externalId })
          }
        }),
      )
    },
    refuse: (share, error) => batch.refuseFor(share[0]!.index, error),
    named: (error, shares) => namedIn(error, shares, matrix!),
  })
}

/** `amend`: what stands gets the events' values, whatever the step's mode. */
export const runLoad = Effect.fnUntraced(function* (
  step: Load<unknown>,
  batch: Batch,
  calls: CompanyCalls,
  amend: boolean,
) {
  const groups = new Groups()
  for (const index of batch.alive) {
    const rows = step.rows(batch.writes[index]!)
    if (Array.isArray(rows)) {
      if (rows.length === 0) batch.absent(index, step.name)
      for (let n = 0; n < rows.length; n++) groups.add({ index, row: rows[n]!, at: n })
    } else if (isRefusal(rows as Row | Refusal)) {
      batch.refuse(index, rows as Refusal)
    } else {
      groups.add({ index, row: rows as Row, at: 0 })
    }
  }
  for (const group of groups.all) {
    for (const chunk of chunksOf(group.units)) {
      // A group or chunk before may have cost an event its place.
      yield* loadGroup(step, group, chunk.filter(({ index }) => batch.isAlive(index)), batch, calls, amend)
    }
  }
})
