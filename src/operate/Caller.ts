/** Who asks, and what that gives a right to. */
import { Context, Schema } from "effect"
import type { Classification } from "../../schemas/classification.ts"
import type { Right } from "./Operations.ts"

export const Role = Schema.Literals(["viewer", "operator", "approver", "admin"]).annotate({ identifier: "Role" })
export type Role = typeof Role.Type
export const roles: ReadonlyArray<Role> = Role.literals

/**
 * Rights of a role. No role has both `operate` and `approve`: whoever corrects a document is not the one who lets it
 * through; nor does `admin`, who gives the roles, approve.
 */
export const rightsOfRole: Readonly<Record<Role, ReadonlyArray<Right>>> = {
  viewer: ["read"],
  operator: ["read", "operate"],
  approver: ["read", "approve"],
  admin: ["read", "operate", "administer"],
}

/** Classes of fields that a role sees in payloads, causes and exports. Nobody sees `secret`. */
export const clearanceOfRole: Readonly<Record<Role, ReadonlyArray<Classification>>> = {
  viewer: [],
  operator: ["personal", "financial"],
  approver: ["financial"],
  admin: ["personal", "financial"],
}

export interface CallerIdentity {
  /** Whom the audit trail names, and whom a second pair of eyes must not be. */
  readonly name: string
  /** How it proved itself. `local`: by being on this machine; its name is what it says. */
  readonly by: "local" | "token" | "oidc"
  /** What its rate and its idempotency keys are counted under: `token:k3v…`. */
  readonly id: string
  readonly roles: ReadonlyArray<Role>
  /** Codes of legal entities; null: all. */
  readonly entities: ReadonlyArray<string> | null
}

/** The caller of the current request. */
export class Caller extends Context.Service<Caller, CallerIdentity>()("weir/operate/Caller") {}

export const hasRight = (caller: Pick<CallerIdentity, "roles">, right: Right): boolean =>
  caller.roles.some((role) => rightsOfRole[role].includes(right))

export const hasEntity = (caller: Pick<CallerIdentity, "entities">, entity: string): boolean =>
  caller.entities === null || caller.entities.includes(entity)

export const clearanceOf = (caller: Pick<CallerIdentity, "roles">): ReadonlySet<Classification> =>
  new Set(caller.roles.flatMap((role) => clearanceOfRole[role]))
