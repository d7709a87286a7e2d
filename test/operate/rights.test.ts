import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { Amendments } from "../../src/ledger/Amendments.ts"
import { Desk } from "../../src/ledger/Desk.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Runs } from "../../src/ledger/Runs.ts"
import { Redrives } from "../../src/ledger/Redrives.ts"
import { type OperationName, operationNames } from "../../src/operate/Operations.ts"
import { publication, publish } from "../simulation/World.ts"
import { customer } from "../streams/samples.ts"
import { type Asked, configuration, office, request, tokenFor } from "./Office.ts"

type Role = "viewer" | "operator" | "approver" | "admin"
const roles: ReadonlyArray<Role> = ["viewer", "operator", "approver", "admin"]

/** Who may do what, written down once more: an operation that is not in here fails the test. */
const everybody = roles
const operators: ReadonlyArray<Role> = ["operator", "admin"]
const approvers: ReadonlyArray<Role> = ["approver"]
const admins: ReadonlyArray<Role> = ["admin"]
const allowed: Readonly<Record<OperationName, ReadonlyArray<Role>>> = {
  "caller.show": everybody,
  "status.show": everybody,
  "entity.mode": operators,
  "entity.close": operators,
  "entity.drain": operators,
  "entity.resume": operators,
  "flow.pause": operators,
  "flow.resume": operators,
  "incidents.list": everybody,
  "audit.list": everybody,
  "audit.verify": everybody,
  "period.approve": approvers,
  "configuration.show": everybody,
  "configuration.reload": admins,
  "exceptions.list": everybody,
  "exceptions.groups": everybody,
  "exceptions.show": everybody,
  "exceptions.export": everybody,
  "exceptions.retry": operators,
  "exceptions.dismiss": operators,
  "exceptions.assign": operators,
  "exceptions.note": operators,
  "exceptions.edit": operators,
  "amendments.list": everybody,
  "amendments.approve": approvers,
  "amendments.reject": approvers,
  "redrives.start": operators,
  "redrives.list": everybody,
  "redrives.show": everybody,
  "redrives.cancel": operators,
  "replays.list": everybody,
  "replays.start": operators,
  "replays.show": everybody,
  "replays.findings": everybody,
  "replays.upload": operators,
  "replays.apply": operators,
  "replays.release": approvers,
  "replays.pause": operators,
  "replays.resume": operators,
  "replays.cancel": operators,
  "reconciliations.list": everybody,
  "reconciliations.start": operators,
  "reconciliations.show": everybody,
  "reconciliations.mismatches": everybody,
  "reconciliations.report": everybody,
  "reconciliations.sign": approvers,
  "reconciliations.cancel": operators,
  "ledger.rebuild": operators,
  "ledger.rebuilt": everybody,
  "archives.list": everybody,
  "archives.start": admins,
  "archives.show": everybody,
  "archives.verify": everybody,
  "tokens.list": admins,
  "tokens.create": admins,
  "tokens.revoke": admins,
}
/** Of the whole installation: whoever is limited to some entities may not. */
const whole: ReadonlyArray<OperationName> = ["configuration.reload", "tokens.list", "tokens.create", "tokens.revoke"]
/** Asked without an entity: they show what is the caller's, and there is nothing to refuse. */
const personal: ReadonlyArray<OperationName> = ["caller.show", "configuration.show"]

interface Things {
  /** By entity: a redrive and an amendment of it. */
  readonly redrive: Readonly<Record<string, number>>
  readonly amendment: Readonly<Record<string, number>>
}

/** Each operation as a request about `entity`. None of them has to work: it has to be let in or not. */
const requests = (
  entity: string,
  { amendment, redrive }: Things,
): Readonly<Record<OperationName, [string, Asked?]>> => {
  const at = `/v1/entities/${entity}`
  const events = { events: ["nobody's"], reason: "x" }
  return {
    "caller.show": ["/v1/caller"],
    "status.show": [`/v1/status?entity=${entity}`],
    "entity.mode": [`${at}/mode`, { body: { mode: "full", reason: "x" } }],
    "entity.close": [`${at}/close`, { body: { reason: "x", until: null } }],
    "entity.drain": [`${at}/drain`, { body: {} }],
    "entity.resume": [`${at}/resume`, { body: {} }],
    "flow.pause": [`${at}/flows/invoices/pause`, { body: { reason: "x" } }],
    "flow.resume": [`${at}/flows/invoices/resume`, { body: { reason: "x" } }],
    "incidents.list": [`/v1/incidents?entity=${entity}`],
    "audit.list": [`/v1/audit/${entity}`],
    "audit.verify": [`/v1/audit/${entity}/verification`],
    "configuration.show": ["/v1/configuration"],
    "configuration.reload": ["/v1/configuration/reload", { body: {} }],
    "period.approve": [`${at}/periods/2026-10/approval`, { body: {} }],
    "exceptions.list": [`/v1/exceptions?entity=${entity}`],
    "exceptions.groups": [`/v1/exceptions/groups?entity=${entity}`],
    "exceptions.show": [`${at}/exceptions/x`],
    "exceptions.export": [`/v1/exceptions/export?entity=${entity}`],
    "exceptions.retry": [`${at}/exceptions/retry`, { body: events }],
    "exceptions.dismiss": [`${at}/exceptions/dismissal`, { body: events }],
    "exceptions.assign": [`${at}/exceptions/assignment`, { body: { events: ["x"], to: "eve" } }],
    "exceptions.note": [`${at}/exceptions/note`, { body: { event: "x", text: "y" } }],
    "exceptions.edit": [`${at}/exceptions/amendment`, {
      body: { event: "x", data: {}, hash: "0".repeat(64), reason: "x" },
    }],
    "amendments.list": [`/v1/amendments?entity=${entity}`],
    "amendments.approve": [`/v1/amendments/${amendment[entity]}/approval`, { body: { reason: "x" } }],
    "amendments.reject": [`/v1/amendments/${amendment[entity]}/rejection`, { body: { reason: "x" } }],
    "redrives.start": ["/v1/redrives", { body: { entity, flow: "invoices", reason: "x" } }],
    "redrives.list": [`/v1/redrives?entity=${entity}`],
    "redrives.show": [`/v1/redrives/${redrive[entity]}`],
    "redrives.cancel": [`/v1/redrives/${redrive[entity]}/cancellation`, { body: {} }],
    "replays.list": [`/v1/replays?entity=${entity}`],
    "replays.start": ["/v1/replays", { body: { subject: `erp.${entity}.>`, entity, reason: "x" } }],
    "replays.show": [`/v1/replays/replay-${entity}`],
    "replays.findings": [`/v1/replays/replay-${entity}/findings`],
    "replays.upload": [`/v1/replays/replay-${entity}/events`, { body: { events: [], position: 1, last: false } }],
    "replays.apply": [`/v1/replays/replay-${entity}/apply`, { body: {} }],
    "replays.release": [`/v1/replays/replay-${entity}/release`, { body: {} }],
    "replays.pause": [`/v1/replays/replay-${entity}/pause`, { body: {} }],
    "replays.resume": [`/v1/replays/replay-${entity}/resume`, { body: {} }],
    "replays.cancel": [`/v1/replays/replay-${entity}/cancel`, { body: {} }],
    "reconciliations.list": [`/v1/reconciliations?entity=${entity}`],
    "reconciliations.start": ["/v1/reconciliations", { body: { entity, period: "2026-10", reason: "x" } }],
    "reconciliations.show": [`/v1/reconciliations/proof-${entity}`],
    "reconciliations.mismatches": [`/v1/reconciliations/proof-${entity}/mismatches`],
    "reconciliations.report": [`/v1/reconciliations/proof-${entity}/report`],
    "reconciliations.sign": [`/v1/reconciliations/proof-${entity}/signature`, { body: { reason: "x" } }],
    "reconciliations.cancel": [`/v1/reconciliations/proof-${entity}/cancellation`, { body: {} }],
    "ledger.rebuild": [`${at}/ledger/rebuilds`, { body: { reason: "x" } }],
    "ledger.rebuilt": [`${at}/ledger/rebuilds/nobodys`],
    "archives.list": [`/v1/archives?entity=${entity}`],
    "archives.start": [`${at}/archivings`, { body: { apply: false, reason: "x" } }],
    "archives.show": [`${at}/archivings/nobodys`],
    "archives.verify": [`${at}/archives/verification`],
    "tokens.list": ["/v1/tokens"],
    "tokens.create": ["/v1/tokens", { body: { owner: "x", roles: ["viewer"] } }],
    "tokens.revoke": ["/v1/tokens/nobodys/revocation", { body: {} }],
  }
}

const entities = ["be01", "uk01"] as const
const invalid = (entity: string) =>
  publication("customer.upserted", { ...customer, email: "nobody" }, { id: `bad-${entity}`, sequence: 1, entity })

/** A redrive and an amendment in each entity. */
const things = Effect.gen(function* () {
  const [desk, redrives, amendments] = [yield* Desk, yield* Redrives, yield* Amendments]
  const runs = yield* Runs
  yield* publish(...entities.map(invalid))
  const made: Record<"redrive" | "amendment", Record<string, number>> = { redrive: {}, amendment: {} }
  for (const entity of entities) {
    const file = yield* desk.file(entity, `test#bad-${entity}`).pipe(
      Effect.tap((file) => file === null ? Effect.sleep("20 millis") : Effect.void),
      Effect.repeat({ until: (file) => file?.row.state === "parked", times: 500 }),
    )
    const data = file?.message?.data ?? new Uint8Array()
    const proposed = yield* amendments.propose({
      entity,
      eventId: `test#bad-${entity}`,
      baseHash: createHash("sha256").update(data).digest("hex"),
      data,
      key: "CUS-1",
      changes: [],
      financial: true,
      reason: "x",
      by: "zoe",
    })
    assert.strictEqual(proposed._tag, "Proposed")
    made.amendment[entity] = proposed._tag === "Proposed" ? proposed.id : 0
    yield* runs.open({
      entity,
      runId: `replay-${entity}`,
      kind: "replay",
      state: "gathering",
      request: {
        selection: { subject: "erp.>" },
        source: "stream",
        onChanged: "skip",
        ratePerSecond: 1,
        concurrency: 1,
        keepAll: false,
      },
      requestedBy: "zoe",
      reason: "x",
    })
    yield* runs.open({
      entity,
      runId: `proof-${entity}`,
      kind: "reconciliation",
      state: "failed",
      request: { period: "2026-10" },
      requestedBy: "zoe",
      reason: "x",
    })
    const scope = { entity, flow: "none", code: null, fingerprint: null }
    made.redrive[entity] = yield* redrives.start(scope, "zoe", "x")
  }
  return made
})

// The currency of uk01 is right, so that it has a company and takes events in.
const given = { configuration }

describe("the authorisation table", () => {
  it.live("holds for every role, operation and entity", () =>
    Effect.gen(function* () {
      const made = yield* things
      let [asked, refused] = [0, 0]
      for (const role of roles) {
        const limited = yield* tokenFor(`${role}-of-be01`, [role], ["be01"])
        const unlimited = yield* tokenFor(`${role}-of-all`, [role])
        for (const operation of operationNames) {
          for (const entity of entities) {
            const [path, asking = {}] = requests(entity, made)[operation]
            for (const [token, isLimited] of [[limited, true], [unlimited, false]] as const) {
              const { body, status } = yield* request(path, { ...asking, token })
              const may = allowed[operation].includes(role) &&
                (!isLimited || personal.includes(operation) ||
                  (entity === "be01" ? !whole.includes(operation) : false))
              const what = `${role}${isLimited ? " of be01" : ""}: ${operation} on ${entity}, ${status} ${
                JSON.stringify(body)
              }`
              if (may) assert.notInclude([401, 403, 429, 500], status, what)
              else assert.deepStrictEqual([status, body.type], [403, "urn:weir:problem:forbidden"], what)
              asked++
              if (!may) refused++
            }
          }
        }
      }
      assert.strictEqual(asked, roles.length * operationNames.length * entities.length * 2)
      assert.isAbove(refused, 150)
      const trails = yield* Effect.forEach(
        [...entities, "_weir"],
        (entity) => Ledger.use((ledger) => ledger.audit({ entity, after: null, limit: 5_000 })),
      )
      const acts = trails.flat().filter(({ action }) => action.startsWith("operation."))
      const orders = asked - roles.length * 2 * 2 *
          operationNames.filter((name) =>
            /\.(?:show|list|verify|groups|export|findings|mismatches|report|rebuilt)$/u.test(name)
          ).length
      // Every order, carried out or refused, and the tokens that this test made.
      assert.strictEqual(acts.length, orders + roles.length * 2)
    }).pipe(Effect.provide(office(given).layer)), 120_000)

  it.live("shows nobody without a role anything", () =>
    Effect.gen(function* () {
      const made = { redrive: {}, amendment: {} }
      for (const operation of operationNames) {
        const [path, asking = {}] = requests("be01", made)[operation]
        const { status } = yield* request(path, { ...asking, headers: { "x-forwarded-for": "10.0.0.1" } })
        assert.include([401, 429], status, operation)
      }
    }).pipe(Effect.provide(office(given).layer)))
})
