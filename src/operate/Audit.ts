/** The audit trail: who changed what, when and why; and whether it is what was written. */
import { Context, Effect, Layer, Schema } from "effect"
import { INSTALLATION } from "../ledger/Access.ts"
import { type AuditRecord, chain, type ChainEnd } from "../ledger/Governance.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, hasRight } from "./Caller.ts"
import type { OperationName } from "./Operations.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { Forbidden, type Malformed, type NotFound, type Unavailable } from "./Problem.ts"

/** Records read at a time while a trail is verified. */
const PAGE = 1_000

export const AuditView = Schema.Struct({
  entity: Schema.String,
  /** Position in the trail, from 1, without gaps. */
  sequence: Schema.Int,
  atMillis: Schema.Int,
  actor: Schema.String,
  action: Schema.String,
  /** JSON text, as it was hashed. */
  detail: Schema.String,
  previousHash: Schema.String,
  hash: Schema.String,
}).annotate({ identifier: "AuditRecord" })

export const AuditQuery = {
  order: Schema.optionalKey(
    Schema.Literals(["newest", "oldest"]).annotate({ description: "Default: newest first" }),
  ),
  ...pageQuery,
}
const Query = Schema.Struct(AuditQuery)
export const AuditPage = pageOf(AuditView)

export const Verification = Schema.Struct({
  entity: Schema.String,
  /** Records in the ledger. */
  records: Schema.Int,
  /** Position of the first record that is not what was written; null: all of them are. */
  broken: Schema.NullOr(Schema.Int),
  /** Hash of the last record, to be noted elsewhere: records cut off at the end show against it. Empty: no record. */
  lastHash: Schema.String,
}).annotate({ identifier: "AuditVerification" })
export type Verification = typeof Verification.Type

const place = cursor(Schema.Struct({ sequence: Schema.Int }))

type Looked<A> = Effect.Effect<A, Forbidden | NotFound | Malformed | Unavailable>

export class Audit extends Context.Service<Audit, {
  /** Of a legal entity, or of the installation (`_weir`), which takes the right to administer. */
  readonly list: (caller: CallerIdentity, entity: string, query: typeof Query.Type) => Looked<typeof AuditPage.Type>
  readonly verify: (caller: CallerIdentity, entity: string) => Looked<Verification>
}>()("weir/operate/Audit") {}

export const layer = Layer.effect(
  Audit,
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const admission = yield* Admission

    const enter = Effect.fnUntraced(function* (caller: CallerIdentity, operation: OperationName, entity: string) {
      if (entity !== INSTALLATION) return yield* admission.enter(caller, operation, entity)
      yield* admission.enter(caller, operation, null)
      if (!hasRight(caller, "administer") || caller.entities !== null) {
        return yield* new Forbidden({
          detail: "The installation's trail needs the right to administer, on all entities.",
        })
      }
    })

    return Audit.of({
      list: Effect.fnUntraced(function* (caller, entity, query) {
        yield* enter(caller, "audit.list", entity)
        const after = yield* place.read(query)
        const limit = limitOf(query)
        const found = yield* ledger.audit({
          entity,
          after: after?.sequence ?? null,
          limit: limit + 1,
          order: query.order ?? "newest",
        }).pipe(asked)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        return { items, next: found.length > limit && last !== undefined ? place.of(last) : null }
      }),

      verify: Effect.fnUntraced(function* (caller, entity) {
        yield* enter(caller, "audit.verify", entity)
        let end: ChainEnd = yield* ledger.auditAnchor(entity).pipe(asked)
        let records = 0
        while (true) {
          const page: ReadonlyArray<AuditRecord> = yield* ledger.audit({
            entity,
            after: end.sequence,
            limit: PAGE,
            order: "oldest",
          }).pipe(asked)
          const checked = chain(end, page)
          records += page.length
          if ("broken" in checked) return { entity, records, broken: checked.broken, lastHash: "" }
          end = checked
          if (page.length < PAGE) return { entity, records, broken: null, lastHash: end.hash }
        }
      }),
    })
  }),
)
