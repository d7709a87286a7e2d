/** The audit trail: who changed what, when and why; and whether it is what was written. */
import { Context, Effect, Layer, Schema } from "effect"
import { INSTALLATION } from "../ledger/Access.ts"
import { Vault } from "../archive/Vault.ts"
import { liveTrail, wholeTrail } from "../archive/verify.ts"
import type { Archives } from "../ledger/Archives.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Admission } from "./Admission.ts"
import { asked } from "./asked.ts"
import { type CallerIdentity, hasRight } from "./Caller.ts"
import type { OperationName } from "./Operations.ts"
import { cursor, limitOf, pageOf, pageQuery } from "./Page.ts"
import { Forbidden, Invalid, type Malformed, type NotFound, type Unavailable } from "./Problem.ts"

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
  /** Records in archives, when they were asked for. */
  archived: Schema.optionalKey(Schema.Int),
  /** Position of the first record that is not what was written; null: all of them are. */
  broken: Schema.NullOr(Schema.Int),
  /** Hash of the last record, to be noted elsewhere: records cut off at the end show against it. Empty: no record. */
  lastHash: Schema.String,
}).annotate({ identifier: "AuditVerification" })
export type Verification = typeof Verification.Type

export const VerificationQuery = {
  archives: Schema.optionalKey(
    Schema.Literals(["true", "false"]).annotate({
      description: "true: from the first record in an archive on. Default: those in the ledger",
    }),
  ),
}
const VerifyQuery = Schema.Struct(VerificationQuery)

const place = cursor(Schema.Struct({ sequence: Schema.Int }))

type Looked<A> = Effect.Effect<A, Forbidden | NotFound | Invalid | Malformed | Unavailable>

export class Audit extends Context.Service<Audit, {
  /** Of a legal entity, or of the installation (`_weir`), which takes the right to administer. */
  readonly list: (caller: CallerIdentity, entity: string, query: typeof Query.Type) => Looked<typeof AuditPage.Type>
  readonly verify: (
    caller: CallerIdentity,
    entity: string,
    query: typeof VerifyQuery.Type,
  ) => Looked<Verification>
}>()("weir/operate/Audit") {}

export const layer = Layer.effect(
  Audit,
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const admission = yield* Admission
    const { directory } = yield* Vault
    const trails = yield* Effect.context<Archives | Ledger | Vault>()

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

      verify: Effect.fnUntraced(function* (caller, entity, { archives = "false" }) {
        yield* enter(caller, "audit.verify", entity)
        if (archives === "true") {
          if (directory === null) {
            return yield* new Invalid({ detail: "No archive is configured: there are the records in the ledger only." })
          }
          const { archived, broken, lastHash, live } = yield* wholeTrail(entity).pipe(Effect.provide(trails), asked)
          return { entity, records: live, archived, broken, lastHash }
        }
        const { broken, lastHash, live } = yield* liveTrail(entity).pipe(Effect.provide(trails), asked)
        return { entity, records: live, broken, lastHash }
      }),
    })
  }),
)
