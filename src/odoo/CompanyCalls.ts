/**
 * Calls on behalf of one company: each passes the gate, carries the company's context and makes one span, which names
 * the call and never its payload. The span begins when the gate lets the call in.
 */
import { Effect } from "effect"
import type { Lane } from "../flow/Lane.ts"
import type { CallGate } from "./CallGate.ts"
import { type Company, contextOf } from "./Company.ts"
import { type Json, type Odoo, OdooError } from "./Odoo.ts"
import { timedCall } from "../telemetry/Metrics.ts"
import { reportUnknown, shapeOf } from "./unknown.ts"

export interface CallInput {
  readonly ids?: ReadonlyArray<number>
  readonly args?: { readonly [name: string]: Json }
  /** Beside the company's context. */
  readonly context?: { readonly [name: string]: Json }
  /** Records or rows in the call, for the gate's latency and the span. Default: the number of ids, or 1. */
  readonly size?: number
}

export interface SearchOptions {
  readonly context?: CallInput["context"]
  /** `date, id` */
  readonly order?: string
  readonly limit?: number
}

/** Fields of one record as `read` and `search_read` give them, `id` included. */
export interface OdooRecord {
  readonly id: number
  readonly [field: string]: Json
}

export interface CompanyCalls {
  readonly company: Pick<Company, "entity" | "database" | "id">
  readonly lane: Lane
  readonly call: (model: string, method: string, input: CallInput) => Effect.Effect<Json, OdooError>
  /** Fields of records by database id; a deleted record is not in the answer. Odoo's `read` promises no order. */
  readonly read: (
    model: string,
    ids: Iterable<number>,
    fields: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<number, OdooRecord>, OdooError>
  readonly searchRead: (
    model: string,
    domain: ReadonlyArray<Json>,
    fields: ReadonlyArray<string>,
    options?: SearchOptions,
  ) => Effect.Effect<ReadonlyArray<OdooRecord>, OdooError>
}

/** The id in a many2one value as Odoo gives it: `[7, "Sales"]`, or `false` when empty. */
export const many2one = (value: Json | undefined): number | undefined => {
  const id = Array.isArray(value) ? (value as ReadonlyArray<Json>)[0] : value
  return typeof id === "number" ? id : undefined
}

/** Records in an answer of `read` or `search_read`. */
const recordsIn = (operation: string, answer: Json): Effect.Effect<ReadonlyArray<OdooRecord>, OdooError> =>
  Array.isArray(answer) && answer.every((each) => typeof each === "object" && each !== null && "id" in each)
    ? Effect.succeed(answer as ReadonlyArray<OdooRecord>)
    : Effect.fail(
      new OdooError({
        code: "ODOO-UNKNOWN-ANSWER",
        operation,
        message: "the answer is no list of records",
        shape: shapeOf(answer),
      }),
    ).pipe(Effect.tapError(reportUnknown))

export const companyCalls = (
  odoo: Odoo["Service"],
  gate: CallGate["Service"],
  company: Pick<Company, "entity" | "database" | "id">,
  lane: Lane,
  /** What each call waits for when the gate has let it in, and before it goes out. */
  owned: Effect.Effect<void> = Effect.void,
): CompanyCalls => {
  const base = contextOf(company)
  const call: CompanyCalls["call"] = (model, method, { args, context, ids, size: given }) => {
    const size = given ?? ids?.length ?? 1
    return gate.run(
      company.database,
      { lane, entity: company.entity, operation: `${model}/${method}`, size },
      Effect.andThen(
        owned,
        odoo.call({
          database: company.database,
          model,
          method,
          context: context === undefined ? base : { ...base, ...context },
          ...(ids !== undefined && { ids }),
          ...(args !== undefined && { args }),
        }),
      ).pipe(
        timedCall(company.database, model, method),
        Effect.tapError(reportUnknown),
        Effect.withSpan("Odoo.call", {
          kind: "client",
          attributes: {
            "odoo.model": model,
            "odoo.method": method,
            "odoo.count": size,
            "odoo.company": company.id,
            "weir.entity": company.entity,
          },
        }, { captureStackTrace: false }),
      ),
    )
  }
  return {
    company,
    lane,
    call,
    read: (model, ids, fields) => {
      const unique = [...new Set(ids)]
      return unique.length === 0
        ? Effect.succeed(new Map())
        : call(model, "read", { ids: unique, args: { fields } }).pipe(
          Effect.flatMap((answer) => recordsIn(`${model}/read`, answer)),
          Effect.map((records) => new Map(records.map((record) => [record.id, record]))),
        )
    },
    searchRead: (model, domain, fields, { context, limit, order } = {}) =>
      call(model, "search_read", {
        args: { domain, fields, ...(limit !== undefined && { limit }), ...(order !== undefined && { order }) },
        ...(context !== undefined && { context }),
      }).pipe(
        Effect.flatMap((answer) => recordsIn(`${model}/search_read`, answer)),
      ),
  }
}
