/** What the steps after the load steps would do to records that stand. */
import { BigDecimal, Effect } from "effect"
import type {
  Compare,
  Enrich,
  Find,
  Query,
  Read,
  Refusal,
  Resolve,
  Transition,
  Unlink,
  Update,
} from "../../../flow/Step.ts"
import { scaleOf } from "../../../../schemas/money.ts"
import { many2one, type OdooRecord } from "../../CompanyCalls.ts"
import { lastLockedDay } from "../../Locks.ts"
import type { Json, OdooError } from "../../Odoo.ts"
import { differenceOf } from "../compare.ts"
import type { Glass } from "./Glass.ts"
import type { Looking } from "./Looking.ts"

/** Most questions to a service at once. */
const QUESTIONS = 4

export const lookAtFind = Effect.fnUntraced(function* (step: Find<unknown>, looking: Looking, glass: Glass) {
  const values = looking.open.map((index) => step.value(looking.writes[index]!))
  const found = yield* glass.master.find(glass.company, glass.calls.lane, step.model, step.field, values)
  looking.open.forEach((index, n) => {
    const ids = found.get(values[n]!) ?? []
    if (ids.length === 1) looking.writes[index]!.ids[step.name] = ids[0]!
    else {
      const about = `${step.model} with ${step.field} "${values[n]}" in company ${glass.company.id}`
      looking.refuse(index, { code: "MASTER-DATA-MISSING", detail: `Odoo has ${ids.length || "no"} ${about}` })
    }
  })
})

/** Not by a `load` of the id alone, as the plan does: a look writes nothing, whatever the model. */
export const lookAtResolve = Effect.fnUntraced(function* (step: Resolve<unknown>, looking: Looking, glass: Glass) {
  const wanted = looking.open.flatMap((index) => {
    const name = step.externalId(looking.writes[index]!)
    return name === null ? [] : [{ index, name }]
  })
  const ids = yield* glass.externalIds.idsOf(step.model, wanted.map(({ name }) => name))
  for (const { index, name } of wanted) {
    const id = ids.get(name)
    const write = looking.writes[index]!
    if (id !== undefined) write.ids[step.name] = id
    else {
      looking.refuse(
        index,
        step.missing?.(write) ??
          { code: "ODOO-RECORD-MISSING", detail: `Odoo has no ${step.model} with the external id ${name}` },
      )
    }
  }
})

export const lookAtRead = Effect.fnUntraced(function* (step: Read<unknown>, looking: Looking, glass: Glass) {
  const wanted = looking.open.map((index) => ({
    write: looking.writes[index]!,
    ids: step.records(looking.writes[index]!),
  }))
  const found = yield* glass.read(step.model, wanted.flatMap(({ ids }) => ids), step.fields)
  for (const { ids, write } of wanted) write.read[step.name] = { records: ids.flatMap((id) => found.get(id) ?? []) }
})

/** One call an event, as in the plan: such flows are looked at slowly. */
export const lookAtQuery = Effect.fnUntraced(function* (step: Query<unknown>, looking: Looking, glass: Glass) {
  for (const index of looking.open) {
    const write = looking.writes[index]!
    const domain = step.domain(write)
    const found: ReadonlyArray<OdooRecord> = domain === null ? [] : yield* glass.calls.searchRead(
      step.model,
      domain,
      step.fields,
      { limit: step.limit + 1, order: step.order ?? "id" },
    )
    if (found.length > step.limit) {
      const detail = `more than ${step.limit} records of ${step.model} (${step.name})`
      looking.refuse(index, { code: "ODOO-TOO-MANY", detail })
      continue
    }
    const names = step.externalIds === true
      ? yield* glass.externalIds.names(step.model, found.map(({ id }) => id))
      : new Map<number, ReadonlyArray<string>>()
    write.read[step.name] = {
      records: step.externalIds === true
        ? found.map((record) => ({ ...record, external_id: names.get(record.id)?.[0] ?? "" }))
        : found,
    }
  }
})

/**
 * The same question again, because the rows cannot be made without an answer. What was answered then is not known: values
 * that stand are not compared with it.
 */
export const lookAtEnrich = (step: Enrich<unknown>, looking: Looking, glass: Glass): Effect.Effect<void> =>
  Effect.forEach(looking.open, (index) => {
    const write = looking.writes[index]!
    const question = step.question(write)
    if (question === null) return Effect.void
    looking.asks(index)
    return glass.ask(step.dependency, question).pipe(
      Effect.match({
        onFailure: (refusal) => looking.refuse(index, refusal),
        onSuccess: (answer) => {
          const accepted = step.accept(answer, write)
          if (isRefused(accepted)) looking.refuse(index, accepted)
          else write.read[step.name] = accepted
        },
      }),
    )
  }, { concurrency: QUESTIONS, discard: true })

const stateOf = (record: OdooRecord, field: string): string => {
  const state = record[field]
  return typeof state === "string" ? state : String(state ?? "")
}

export const lookAtTransition = Effect.fnUntraced(
  function* (step: Transition<unknown>, looking: Looking, glass: Glass) {
    const { field, from, method, model, of, period, to } = step
    const last = period === undefined
      ? null
      : lastLockedDay(period.kind, yield* glass.master.locks(glass.company, glass.calls.lane))
    for (const index of looking.open) {
      const write = looking.writes[index]!
      for (const [at, record] of looking.recordsOf(index, of).entries()) {
        const state = stateOf(record, field)
        if (at === 0) write.read[step.name] = record
        if (to.includes(state)) {
          if (step.posts === true) looking.bound(index)
          continue
        }
        const about = { model, id: record.id }
        if (!from.includes(state)) {
          if (step.posts === true) looking.bound(index)
          looking.differs(index, { ...about, field, event: to[0] ?? "", odoo: state })
          continue
        }
        looking.pends(index, {
          ...about,
          step: step.name,
          detail: `${field} is ${state}; ${method} makes it ${to[0] ?? ""}`,
          harmless: false,
        })
        const day = period === undefined ? undefined : record[period.field]
        if (last !== null && typeof day === "string" && day <= last.day) {
          looking.lock(index, { day, until: last.day, lock: last.lock })
        }
      }
    }
  },
)

export const lookAtCompare = Effect.fnUntraced(function* (step: Compare<unknown>, looking: Looking, glass: Glass) {
  const promises = looking.open.flatMap((index) => {
    const record = looking.recordOf(index, step.of)
    return record === undefined ? [] : [{ index, record, expected: step.expect(looking.writes[index]!) }]
  })
  const unread = promises.filter(({ expected, record }) => Object.keys(expected).some((field) => !(field in record)))
  const fields = [...new Set(unread.flatMap(({ expected }) => Object.keys(expected)))]
  const read = yield* glass.read(step.model, unread.map(({ record }) => record.id), fields)
  for (const { expected, index, record } of promises) {
    const standing: OdooRecord = { ...record, ...read.get(record.id) }
    const scale = scaleOf(step.currency?.(looking.writes[index]!) ?? glass.company.currency)
    for (const field in expected) {
      if (differenceOf(field, expected[field]!, standing[field], scale) === undefined) continue
      const own = looking.isItsOwn(index) ||
        looking.spec.control?.(looking.writes[index]!.data).amounts[field] !== undefined
      if (!own) continue
      looking.differs(index, {
        model: step.model,
        id: record.id,
        field,
        event: BigDecimal.format(expected[field]!),
        odoo: String(standing[field] ?? ""),
      })
    }
  }
})

const isRefused = (accepted: { readonly [field: string]: unknown } | Refusal): accepted is Refusal =>
  typeof accepted["code"] === "string" && typeof accepted["detail"] === "string"

type Values = { readonly [field: string]: Json }

const isRefusal = (values: Values | Refusal): values is Refusal => "code" in values && "detail" in values

/** Whether a field as it is read has the value that would be written. */
const has = (read: Json | undefined, written: Json): boolean =>
  read === written || (typeof written === "number" && Array.isArray(read) && many2one(read) === written)

export const lookAtUpdate: (
  step: Update<unknown>,
  looking: Looking,
  glass: Glass,
) => Effect.Effect<void, OdooError> = Effect.fnUntraced(function* (step, looking, glass) {
  const wanted = looking.open.flatMap((index) => {
    const write = looking.writes[index]!
    const ids = [...new Set(step.records(write))].filter((id) => id > 0)
    if (ids.length === 0) return []
    const values = step.values(write)
    if (!isRefusal(values)) return [{ index, ids, values }]
    looking.refuse(index, values)
    return []
  })
  const fields = [...new Set([...wanted.flatMap(({ values }) => Object.keys(values)), ...step.fields ?? []])]
  const records = yield* glass.read(step.model, wanted.flatMap(({ ids }) => ids), fields)
  for (const { ids, index, values } of wanted) {
    const write = looking.writes[index]!
    const standing = ids.flatMap((id) => records.get(id) ?? [])
    write.read[step.name] = { records: standing }
    for (const id of ids) {
      const record = records.get(id)
      const about = { model: step.model, id }
      if (record === undefined) {
        looking.refuse(index, { code: "ODOO-RECORD-MISSING", detail: `${step.model} ${id} is gone` })
        continue
      }
      const left = step.only === undefined
        ? Object.entries(values).filter(([field, value]) => !has(record[field], value)).map(([field]) => field)
        : step.only(record, write)
        ? Object.keys(values)
        : []
      if (left.length === 0) continue
      looking.pends(index, { ...about, step: step.name, detail: `writes ${left.join(", ")}`, harmless: false })
    }
  }
})

export const lookAtUnlink = Effect.fnUntraced(function* (step: Unlink<unknown>, looking: Looking, glass: Glass) {
  const wanted = looking.open.map((index) => ({
    index,
    ids: step.records(looking.writes[index]!).filter((id) => id > 0),
  }))
  const standing = yield* glass.read(step.model, wanted.flatMap(({ ids }) => ids), ["id"])
  for (const { ids, index } of wanted) {
    for (const id of ids) {
      if (!standing.has(id)) continue
      looking.pends(index, { step: step.name, model: step.model, id, detail: "deletes it", harmless: false })
    }
  }
})
