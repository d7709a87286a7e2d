/**
 * How one entity conducts itself: its circuits, the policy of its automatic modes, its incidents. Lives as long as the
 * actor, over all its sessions; each session's governor makes durable what it decides.
 */
import { Duration, Effect, Latch } from "effect"
import { CallGate } from "../../odoo/CallGate.ts"
import { contextOf } from "../../odoo/Company.ts"
import { Odoo, OdooError } from "../../odoo/Odoo.ts"
import type { EntitySettings } from "../Roster.ts"
import { type Circuit, type Judgement, makeCircuit, type Transition, waysOf } from "./Circuit.ts"
import { type Asking, makeAsking } from "./asking.ts"
import { Dependencies, type Dependency, type DependencyDown, type DependencyRefused } from "./Dependencies.ts"
import { Incidents } from "./Incidents.ts"
import { Policy } from "./policy.ts"
import { Thresholds } from "./Thresholds.ts"

/** Name of the circuit that every flow needs. */
export const ODOO = "odoo"

export interface Conduct {
  readonly odoo: Circuit<OdooError>
  readonly circuits: ReadonlyArray<Pick<Circuit, "dependency" | "state" | "openedAtMillis" | "trouble">>
  readonly policy: Policy
  readonly incidents: Incidents
  /** Opened when a circuit has moved or somebody wants something. */
  readonly moved: Latch.Latch
  /** Commands that are not yet in the audit trail. */
  readonly notes: Array<{ readonly actor: string; readonly action: string }>
  /** The ways of a flow that needs Odoo and these dependencies. */
  readonly ways: (needs: ReadonlyArray<string>) => ReturnType<typeof waysOf>
  /** Questions of plans to dependencies. */
  readonly asking: Asking
}

/** Odoo being away, silent or refusing the key says something about Odoo; a refusal shows that it works. */
const judgeOdoo = ({ code }: OdooError): Judgement => {
  switch (code) {
    case "ODOO-UNAVAILABLE":
    case "ODOO-NO-ANSWER":
      return "failure"
    case "ODOO-AUTH":
      return "refused"
    case "ODOO-CONTENTION":
    case "ODOO-UNKNOWN-ANSWER":
      return "nothing"
    default:
      return "works"
  }
}

/** Reads the company's own record: no more than a working key and a database that answers. */
const probeOdoo = Effect.fnUntraced(function* ({ code, company, database }: EntitySettings) {
  const odoo = yield* Odoo
  const gate = yield* CallGate
  const { probeTimeout } = yield* Thresholds
  const operation = "res.company/read"
  yield* gate.run(
    database,
    { lane: "critical", entity: code, operation },
    odoo.call({
      database,
      model: "res.company",
      method: "read",
      ids: [company],
      args: { fields: ["id"] },
      context: contextOf({ id: company }),
    }).pipe(Effect.timeoutOrElse({
      duration: probeTimeout,
      orElse: () =>
        Effect.fail(
          new OdooError({
            code: "ODOO-NO-ANSWER",
            operation,
            message: `no answer to a probe within ${Duration.format(probeTimeout)}`,
          }),
        ),
    })),
  )
})

/**
 * Lives with the scope. `needs`: the named dependencies of all flows; one that nobody provides is a defect. `asks`: those
 * that plans ask; one that nobody provides costs only the events that ask it.
 */
export const makeConduct = Effect.fnUntraced(function* (
  settings: EntitySettings,
  needs: ReadonlyArray<string>,
  asks: ReadonlyArray<string>,
) {
  const entity = settings.code
  const dependencies = yield* Dependencies
  const policy = new Policy(yield* Thresholds)
  const incidents = new Incidents(entity)
  const moved = Latch.makeUnsafe(false)

  const changed = (transition: Transition): void => {
    const { atMillis, dependency, failingSinceMillis, from, to, trouble } = transition
    if (to === "open") {
      const what = from === "closed" ? "calls stopped" : "a probe failed"
      incidents.contained(dependency, failingSinceMillis, { atMillis, what: `${what}: ${trouble}` })
    } else if (to === "closed") {
      const step = { atMillis, what: "it answers again, calls go on" }
      // In mode hold all is well only when the mode is back.
      if (dependency === ODOO && policy.mode === "hold") incidents.step(dependency, step)
      else incidents.better(dependency, step)
    }
    Latch.openUnsafe(moved)
  }

  const odoo = yield* makeCircuit<OdooError>({
    entity,
    dependency: ODOO,
    probe: yield* Effect.map(
      Effect.context<Odoo | CallGate>(),
      (context) => Effect.provide(probeOdoo(settings), context),
    ),
    asks: false,
    judge: judgeOdoo,
    changed,
  })
  const named = new Map<
    string,
    { readonly dependency: Dependency; readonly circuit: Circuit<DependencyDown | DependencyRefused> }
  >()
  for (const name of new Set([...needs, ...asks])) {
    const dependency = dependencies.get(name)
    if (dependency === undefined) {
      if (!needs.includes(name)) continue
      return yield* Effect.die(new Error(`a flow needs ${name}, and nobody provides it`))
    }
    const circuit = yield* makeCircuit<DependencyDown | DependencyRefused>({
      entity,
      dependency: name,
      probe: dependency.probe(entity),
      asks: true,
      judge: ({ _tag }) => _tag === "DependencyDown" ? "failure" : "works",
      changed,
    })
    named.set(name, { dependency, circuit })
  }
  const conduct: Conduct = {
    odoo,
    circuits: [odoo, ...[...named.values()].map(({ circuit }) => circuit)],
    policy,
    incidents,
    moved,
    notes: [],
    ways: (wanted) => waysOf([odoo, ...wanted.map((name) => named.get(name)!.circuit)]),
    asking: makeAsking(entity, named),
  }
  return conduct
})
