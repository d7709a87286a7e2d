/**
 * External ids of one company's records, both ways, for whoever may not read `ir.model.data`:
 *
 *   id ──► names     `get_metadata` of the model, in bulk; all of them, a merged partner has several
 *   name ──► id      `check_object_reference`, one by one; when there are many of the company's own, a sweep over the
 *                    model's records
 *
 * Reads only. What a sweep has found is kept and extended by what was added since, so a look at a hundred thousand
 * events costs one sweep. Make one for each look: what it knows ages.
 */
import { Effect } from "effect"
import type { CompanyCalls } from "./CompanyCalls.ts"
import { OdooError } from "./Odoo.ts"

/** Records in one call. Small calls, so that those of the live traffic in between wait for little. */
export const PAGE = 500
/** Names looked up one by one, over all models, before a model is swept. */
const SINGLES = 60
/** Most external ids that are kept in memory, over all models. */
const CAPACITY = 2_000_000
/** Names of records that others refer to, at most; the oldest go first. */
const REMEMBERED = 100_000

type Names = ReadonlyArray<string>

export interface ExternalIds {
  /** All external ids of records; no entry for a record that is gone, an empty one for a record without any. */
  readonly names: (model: string, ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyMap<number, Names>, OdooError>
  /** The same for records that many others refer to, with an empty entry for what is gone: remembered. */
  readonly known: (model: string, ids: Iterable<number>) => Effect.Effect<ReadonlyMap<number, Names>, OdooError>
  /** Ids of records by external id; no entry where there is none. */
  readonly idsOf: (model: string, names: Names) => Effect.Effect<ReadonlyMap<string, number>, OdooError>
  /** Every external id of the model that begins with the prefix, with its record: a sweep. */
  readonly all: (model: string) => Effect.Effect<ReadonlyMap<string, number>, OdooError>
}

interface Metadata {
  readonly id: number
  readonly xmlids: ReadonlyArray<{ readonly xmlid: string }>
}

interface Directory {
  readonly ids: Map<string, number>
  /** The highest id that was swept. */
  last: number
}

const namesIn = ({ xmlids }: Metadata): Names => xmlids.map(({ xmlid }) => xmlid)

/** `check_object_reference` raises it for an external id that nobody has. */
const isNobodys = (error: OdooError): boolean => error.odooName === "builtins.ValueError"

const tooMany = (model: string) =>
  new OdooError({
    code: "ODOO-TOO-MANY",
    operation: `${model}/get_metadata`,
    message: `more than ${CAPACITY} external ids to look through. Narrow the question: fewer flows, a shorter time.`,
  })

/** `prefix`: of the external ids that a sweep keeps, for example `weir_be01.`. */
export const externalIds = (calls: CompanyCalls, prefix: string): ExternalIds => {
  const directories = new Map<string, Directory>()
  const remembered = new Map<string, Names>()
  /** Records of others, such as products that all legal entities share: few, and in no sweep. */
  const shared = new Map<string, number>()
  let singles = 0
  let kept = 0

  const metadata = Effect.fnUntraced(function* (model: string, ids: ReadonlyArray<number>) {
    const records: Array<Metadata> = []
    for (let from = 0; from < ids.length; from += PAGE) {
      const answer = yield* calls.call(model, "get_metadata", { ids: ids.slice(from, from + PAGE) })
      records.push(...answer as unknown as ReadonlyArray<Metadata>)
    }
    return records
  })

  const names: ExternalIds["names"] = (model, ids) =>
    Effect.map(metadata(model, ids), (records) => new Map(records.map((record) => [record.id, namesIn(record)])))

  const known: ExternalIds["known"] = Effect.fnUntraced(function* (model, ids) {
    const found = new Map<number, Names>()
    const asked: Array<number> = []
    for (const id of new Set(ids)) {
      const own = remembered.get(`${model} ${id}`)
      if (own === undefined) asked.push(id)
      else found.set(id, own)
    }
    if (asked.length === 0) return found
    const named = yield* names(model, asked)
    for (const id of asked) {
      const own = named.get(id) ?? []
      found.set(id, own)
      const [oldest] = remembered.size >= REMEMBERED ? remembered.keys() : []
      if (oldest !== undefined) remembered.delete(oldest)
      remembered.set(`${model} ${id}`, own)
    }
    return found
  })

  const single = (model: string, name: string): Effect.Effect<number | undefined, OdooError> => {
    const dot = name.indexOf(".")
    const args = { module: name.slice(0, dot), xml_id: name.slice(dot + 1) }
    return calls.call("ir.model.data", "check_object_reference", { args }).pipe(
      Effect.map((answer) =>
        Array.isArray(answer) && answer[0] === model && typeof answer[1] === "number" ? answer[1] : undefined
      ),
      Effect.catchIf(isNobodys, () => Effect.succeed(undefined)),
    )
  }

  /** The model's directory with all that is there now. */
  const swept = Effect.fnUntraced(function* (model: string) {
    const directory = directories.get(model) ?? { ids: new Map<string, number>(), last: 0 }
    directories.set(model, directory)
    while (true) {
      const page = yield* calls.searchRead(model, [["id", ">", directory.last]], ["id"], {
        order: "id",
        limit: PAGE,
        context: { active_test: false },
      })
      for (const record of yield* metadata(model, page.map(({ id }) => id))) {
        for (const name of namesIn(record)) {
          if (!name.startsWith(prefix)) continue
          if (!directory.ids.has(name) && ++kept > CAPACITY) return yield* tooMany(model)
          directory.ids.set(name, record.id)
        }
      }
      directory.last = page.at(-1)?.id ?? directory.last
      if (page.length < PAGE) return directory
    }
  })

  return {
    names,
    known,
    idsOf: Effect.fnUntraced(function* (model, wanted) {
      const found = new Map<string, number>()
      for (const name of new Set(wanted)) {
        if (name.startsWith(prefix)) continue
        const id = shared.get(name) ?? (yield* single(model, name))
        if (id === undefined) continue
        found.set(name, id)
        shared.set(name, id)
      }
      const distinct = [...new Set(wanted)].filter((name) => name.startsWith(prefix))
      if (distinct.length === 0) return found
      if (!directories.has(model) && singles + distinct.length <= SINGLES) {
        singles += distinct.length
        for (const name of distinct) {
          const id = yield* single(model, name)
          if (id !== undefined) found.set(name, id)
        }
        return found
      }
      const { ids } = yield* swept(model)
      for (const name of distinct) {
        const id = ids.get(name)
        if (id !== undefined) found.set(name, id)
      }
      return found
    }),
    all: (model) => Effect.map(swept(model), ({ ids }) => ids),
  }
}
