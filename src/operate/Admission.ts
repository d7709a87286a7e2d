/**
 * Who is let in. Every operation asks here first; every order that is let in or turned away stands in the audit trail of
 * its entity before anything is done. Where the trail cannot be written, nothing is done.
 */
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import { Roster } from "../actor/Roster.ts"
import { UNROUTED } from "../actor/Unrouted.ts"
import { Access, INSTALLATION } from "../ledger/Access.ts"
import type { AuditEntry } from "../ledger/Governance.ts"
import { type CallerIdentity, hasEntity, hasRight } from "./Caller.ts"
import { asked } from "./asked.ts"
import { type OperationName, specOf } from "./Operations.ts"
import { Forbidden, NotFound, type Unavailable } from "./Problem.ts"

/** What an order is about, for the trail: never payloads, never secrets. */
export type Particulars = AuditEntry["detail"]

export class Admission extends Context.Service<Admission, {
  /** May `caller` do this, on `entity` (null: on the whole installation)? An order is recorded. */
  readonly enter: (
    caller: CallerIdentity,
    operation: OperationName,
    entity: string | null,
    particulars?: Particulars,
  ) => Effect.Effect<void, Forbidden | NotFound | Unavailable>
  /**
   * The entities that `caller` may look at with this operation: the one that is `wanted`, else all of its own; null: all
   * there are.
   */
  readonly visible: (
    caller: CallerIdentity,
    operation: OperationName,
    wanted: string | undefined,
  ) => Effect.Effect<ReadonlyArray<string> | null, Forbidden | NotFound | Unavailable>
}>()("weir/operate/Admission") {}

export const layer = Layer.effect(
  Admission,
  Effect.gen(function* () {
    const access = yield* Access
    const roster = yield* Roster

    const exists = (entity: string): boolean => roster.entities.has(entity) || entity === UNROUTED

    const refusal = (caller: CallerIdentity, operation: OperationName, entity: string | null) => {
      const { right } = specOf(operation)
      if (!hasRight(caller, right)) {
        return new Forbidden({
          detail: `${operation} needs the right to ${right}; ${caller.name} has no role with it.`,
        })
      }
      if (entity === null && right === "administer" && caller.entities !== null) {
        return new Forbidden({ detail: `${operation} needs rights on all legal entities; ${caller.name} has some.` })
      }
      // Whoever sees some entities only is not told which others there are.
      if (entity !== null && !hasEntity(caller, entity)) {
        return new Forbidden({ detail: `${caller.name} has no rights on this legal entity.` })
      }
      return entity === null || exists(entity) ? null : new NotFound({
        detail: `${entity} is not in the configuration. There are: ${
          [...roster.entities.keys()].join(", ") || "none"
        }.`,
      })
    }

    const record = (
      caller: CallerIdentity,
      operation: OperationName,
      entity: string | null,
      refused: string | null,
      particulars: Particulars,
    ) => {
      // A name that nobody configured must not begin a trail of its own.
      const trail = entity !== null && exists(entity) ? entity : INSTALLATION
      return access.record(trail, {
        id: `operation/${randomUUID()}`,
        actor: caller.name,
        action: refused === null ? "operation.allowed" : "operation.denied",
        detail: {
          operation,
          by: caller.by,
          caller: caller.id,
          ...(trail === entity ? {} : { entity }),
          ...(refused === null ? particulars : { reason: refused }),
        },
      }).pipe(asked)
    }

    const enter: (typeof Admission.Service)["enter"] = Effect.fnUntraced(
      function* (caller, operation, entity, particulars = {}) {
        const refused = refusal(caller, operation, entity)
        if (specOf(operation).changes) {
          yield* record(caller, operation, entity, refused?.message ?? null, particulars)
        }
        if (refused !== null) return yield* Effect.fail(refused)
      },
    )

    return Admission.of({
      enter,
      visible: (caller, operation, wanted) =>
        Effect.as(
          enter(caller, operation, wanted ?? null),
          wanted === undefined ? caller.entities : [wanted],
        ),
    })
  }),
)
