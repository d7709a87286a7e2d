/**
 * Every operation that people and programs may ask for, with what it takes to be let in. The closed list behind both
 * doors: each one is an endpoint of the API (`src/http/api/`) and a command (`src/cli/`), and no endpoint or command does
 * anything else (`test/operate/doors.test.ts`).
 */
import { Context } from "effect"

/**
 * - `read`: look.
 * - `operate`: make it go on, hold it back, correct it. Moves no money that an approver has not seen.
 * - `approve`: let money move: late documents of a closed month, corrections of amounts.
 * - `administer`: who may do what, and how long it is remembered.
 */
export type Right = "read" | "operate" | "approve" | "administer"

export interface OperationSpec {
  readonly right: Right
  /** `entity`: of one legal entity, or of those that the caller may see. `installation`: of the whole. */
  readonly on: "entity" | "installation"
  /** It is an order: it stands in the audit trail, carried out or refused. */
  readonly changes: boolean
  readonly summary: string
}

const spec = (right: Right, on: OperationSpec["on"], changes: boolean) => (summary: string): OperationSpec => ({
  right,
  on,
  changes,
  summary,
})
const read = spec("read", "entity", false)
const operate = spec("operate", "entity", true)
const approve = spec("approve", "entity", true)
const administerEntity = spec("administer", "entity", true)
const administer = spec("administer", "installation", true)

export const operations = {
  "caller.show": spec("read", "installation", false)("Who the caller is, and what it may do"),
  "status.show": read("Where every legal entity and flow stands"),
  "entity.mode": operate("Decide what a legal entity may do, or let Weir decide again"),
  "entity.close": operate("Say that a legal entity closes its books, or that this is over"),
  "entity.drain": operate("Stop a legal entity in order: no more intake, everything in flight settled"),
  "entity.resume": operate("Take up the work of a drained legal entity again"),
  "flow.pause": operate("Pause one flow of a legal entity"),
  "flow.resume": operate("Let a paused flow go on"),
  "configuration.show": spec("read", "installation", false)(
    "Which configuration counts, and whether all runners have it",
  ),
  "configuration.reload": administer("Read the configuration again, on every runner, and take up what changed"),
  "incidents.list": read("Incidents: detected, contained, restored"),
  "audit.list": read("Who changed what, when and why"),
  "audit.verify": read("Whether the audit trail is what was written"),
  "period.approve": approve("Let late documents of a locked month be booked on the first open day"),
  "exceptions.list": read("Exceptions, and events that wait; newest first"),
  "exceptions.groups": read("Exceptions by legal entity, flow, code and cause, with their numbers"),
  "exceptions.show": read("Everything about one exception: payload, cause, what stands in Odoo, history, what to do"),
  "exceptions.export": read("Exceptions with their events, one a line"),
  "exceptions.retry": operate("Try exceptions again"),
  "exceptions.dismiss": operate("Give exceptions up for good; what follows them goes on"),
  "exceptions.assign": operate("Give exceptions to somebody, or back to nobody"),
  "exceptions.note": operate("Leave a word for whoever looks next"),
  "exceptions.edit": operate("Correct an exception's event and try it again; what moves money waits for an approver"),
  "amendments.list": read("Corrections: proposed, applied, rejected"),
  "amendments.approve": approve("Let somebody else's correction of money through"),
  "amendments.reject": approve("Reject a correction; the exception stays as it is"),
  "redrives.start": operate("Try a group of exceptions again in growing steps; stops when the failure comes again"),
  "redrives.list": read("Groups that are, or were, tried again"),
  "redrives.show": read("How far a group has got"),
  "redrives.cancel": operate("End a run; what is on its way goes on"),
  "replays.list": read("Replays: what was looked at again, and what became of it"),
  "replays.start": operate(
    "Look at events again: what stands of them in Odoo, what would be brought again; writes nothing",
  ),
  "replays.show": read("How far a replay is, and what it found"),
  "replays.findings": read("What a replay found, event by event"),
  "replays.upload": operate("Hand in the events of a replay"),
  "replays.apply": operate("Bring again what a dry run found missing"),
  "replays.release": approve("Let through a replay of handed-in events, or one that changes what stands"),
  "replays.pause": operate("Let a replay stand still"),
  "replays.resume": operate("Let a paused replay go on"),
  "replays.cancel": operate("End a replay; what it has brought stands"),
  "reconciliations.list": read("Proofs of completeness, newest first"),
  "reconciliations.start": operate(
    "Prove a month complete: stream, ledger and Odoo against each other; writes nothing",
  ),
  "reconciliations.show": read("What a proof says, flow by flow"),
  "reconciliations.mismatches": read("What does not agree, event by event and record by record"),
  "reconciliations.report": read("A proof as a page for people"),
  "reconciliations.sign": approve("Stand for what a proof says, as somebody who did not ask for it"),
  "reconciliations.cancel": operate("End a proof that is being made"),
  "ledger.rebuild": operate("Reconstruct an empty ledger from the stream and from Odoo's external ids"),
  "ledger.rebuilt": read("How far a rebuild is, and what it left to the flows"),
  "archives.list": read("What has left the ledger into files, newest first"),
  "archives.start": administerEntity("Let what is old enough leave the ledger into files, or only count it"),
  "archives.show": read("How far an archiving is, and what has left"),
  "archives.verify": read("Whether archives, and the audit trail over them, are what was written"),
  "tokens.list": spec("administer", "installation", false)("API tokens"),
  "tokens.create": administer("Make an API token; its secret is shown once"),
  "tokens.revoke": administer("End an API token"),
} as const satisfies Record<string, OperationSpec>

export type OperationName = keyof typeof operations

export const operationNames = Object.keys(operations) as ReadonlyArray<OperationName>

/** The spec of an operation, whichever it is. */
export const specOf = (name: OperationName): OperationSpec => operations[name]

/** Which operation an endpoint or a command is: their annotation. */
export class Operation extends Context.Service<Operation, OperationName>()("weir/operate/Operation") {}
