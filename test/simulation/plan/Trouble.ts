/** What goes wrong, and what people do, over virtual time. Plain data, so that a failing plan can be shrunk and printed. */
import { Random } from "../../../fixtures/generator/Random.ts"
import { type Fault, raise } from "../../../fixtures/odoo/Faults.ts"
import type { BrokerOperation } from "../../../src/broker/MemoryBroker.ts"
import type { Mode } from "../../../src/ledger/Ledger.ts"
import type { Place } from "./Place.ts"

type At<T> = T & { readonly atMillis: number }

export type Trouble = At<
  /** Odoo goes wrong for a while, by chance or from the n-th matching call on. */
  | {
    readonly _tag: "Odoo"
    readonly name: string
    readonly fault: Fault
    readonly method: string | null
    readonly probability: number
    readonly times: number
    readonly forMillis: number
  }
  /** The ledger fails calls, before or after they took effect. */
  | {
    readonly _tag: "Ledger"
    readonly fault: "before" | "after"
    readonly operation: string | null
    readonly count: number
  }
  /** Answers of the ledger take long. */
  | { readonly _tag: "LedgerSlow"; readonly millis: number; readonly forMillis: number }
  | { readonly _tag: "BrokerAway"; readonly forMillis: number }
  | { readonly _tag: "BrokerFails"; readonly operation: BrokerOperation; readonly times: number }
  | { readonly _tag: "Interrupted"; readonly entity: string | null }
  | { readonly _tag: "DeliveredTwice"; readonly count: number }
  | { readonly _tag: "AcksLost"; readonly count: number }
  | { readonly _tag: "ConfirmationsLost"; readonly count: number }
  /** The process ends at once and another one starts later. */
  | { readonly _tag: "Kill"; readonly startAfterMillis: number }
  /**
   * The process ends while it waits for the answer to its nth call of an operation from now on. What it asked for is
   * done all the same, or gets lost on the way.
   */
  | {
    readonly _tag: "Crash"
    readonly point: CrashPoint
    readonly nth: number
    readonly lost: boolean
    readonly startAfterMillis: number
  }
  /** The process is told to stop, drains, and another one starts. */
  | { readonly _tag: "Stop"; readonly startAfterMillis: number }
  /** The process stands still; another one takes over; the old one goes on for a while as if nothing had happened. */
  | { readonly _tag: "Pause"; readonly forMillis: number; readonly livesOnMillis: number }
  /** Two processes at once, until the older one ends. */
  | { readonly _tag: "Rival"; readonly livesOnMillis: number }
  /** The wall clock of the running process is set. */
  | { readonly _tag: "ClockJump"; readonly millis: number }
  /** The wall clock of broker and ledger is set, until all is well again. */
  | { readonly _tag: "ServersClockJump"; readonly millis: number }
  | { readonly _tag: "Mode"; readonly entity: string; readonly mode: Mode; readonly forMillis: number }
  | { readonly _tag: "Drain"; readonly entity: string; readonly forMillis: number }
  /** Somebody retries every exception of an entity. */
  | { readonly _tag: "Retry"; readonly entity: string }
  /** Somebody dismisses one exception that stands there. */
  | { readonly _tag: "Dismiss"; readonly entity: string; readonly nth: number }
>

/** How long Weir waits for an answer in the simulation. Odoo gives an abandoned call up at the same time. */
export const ODOO_TIMEOUT_MILLIS = 12_000

const odooFaults: Readonly<Record<string, Fault>> = {
  "reset before": { kind: "reset", when: "before" },
  "reset after": { kind: "reset", when: "after" },
  "hang committed": { kind: "hang", commits: true },
  "hang not committed": { kind: "hang", commits: false },
  late: { kind: "late", millis: ODOO_TIMEOUT_MILLIS + 3_000 },
  slow: { kind: "slow", millis: 3_000 },
  "serialization failure": raise.serializationFailure,
  "lock not available": raise.lockNotAvailable,
  "session killed": raise.sessionKilled,
  "database away": { kind: "away" },
  "bad key": { kind: "key" },
}
const methods = [null, "load", "action_post", "action_confirm", "reconcile", "read", "search_read"] as const
/** Calls at which a process may end: everything that it ever waits for. */
export const crashPoints = [
  "ledger claim",
  "ledger standing",
  "ledger incidents",
  "ledger admit",
  "ledger settle",
  "ledger ready",
  "ledger outbox",
  "ledger published",
  "ledger expire",
  "ledger govern",
  "broker consume",
  "broker pull",
  "broker publish",
  "broker backlog",
  "odoo load",
  "odoo read",
  "odoo search_read",
  "odoo action_post",
  "odoo action_confirm",
  "odoo reconcile",
] as const
export type CrashPoint = typeof crashPoints[number]
const jumps = [-3_600_000, -60_000, -5_000, 5_000, 60_000, 3_600_000] as const
const modes = ["full", "essential", "drafts", "hold"] as const
const ledgerOperations = ["claim", "admit", "settle", "ready", "outbox", "published", "expire", "govern"] as const
export const brokerOperations = ["consume", "publish", "subjects"] as const

const make = (numbers: Random, place: Place, spanMillis: number): Trouble => {
  const atMillis = numbers.int(0, spanMillis)
  const short = () => numbers.pick([200, 1_000, 4_000, 12_000])
  const kind = numbers.weighted({
    Odoo: 10,
    Ledger: 8,
    LedgerSlow: 2,
    BrokerAway: 2,
    BrokerFails: 1,
    Interrupted: 4,
    DeliveredTwice: 2,
    AcksLost: 2,
    ConfirmationsLost: 2,
    Kill: 3,
    Crash: 6,
    Stop: 1,
    Pause: 2,
    Rival: 1,
    ClockJump: 2,
    ServersClockJump: 1,
    Mode: 2,
    Drain: 1,
    Retry: 2,
    Dismiss: 1,
  })
  switch (kind) {
    case "Odoo": {
      const name = numbers.pick(Object.keys(odooFaults) as [string])
      return {
        _tag: kind,
        atMillis,
        name,
        fault: odooFaults[name]!,
        method: numbers.pick(methods),
        probability: numbers.pick([0.2, 0.6, 1]),
        times: numbers.int(1, 6),
        forMillis: numbers.pick([1_000, 5_000, 20_000]),
      }
    }
    case "Ledger":
      return {
        _tag: kind,
        atMillis,
        fault: numbers.pick(["before", "after"]),
        operation: numbers.chance(0.2) ? null : numbers.pick(ledgerOperations),
        count: numbers.int(1, 4),
      }
    case "LedgerSlow":
      return { _tag: kind, atMillis, millis: numbers.pick([300, 2_000]), forMillis: short() }
    case "BrokerAway":
      return { _tag: kind, atMillis, forMillis: short() }
    case "BrokerFails":
      return { _tag: kind, atMillis, operation: numbers.pick(brokerOperations), times: numbers.int(1, 3) }
    case "Interrupted":
      return { _tag: kind, atMillis, entity: numbers.chance(0.5) ? null : place.entity }
    case "DeliveredTwice":
    case "AcksLost":
    case "ConfirmationsLost":
      return { _tag: kind, atMillis, count: numbers.int(1, 5) }
    case "Kill":
    case "Stop":
      return { _tag: kind, atMillis, startAfterMillis: numbers.pick([0, 500, 3_000]) }
    case "Crash":
      return {
        _tag: kind,
        atMillis,
        point: numbers.pick(crashPoints),
        nth: numbers.pick([1, 1, 2, 5]),
        lost: numbers.chance(0.4),
        startAfterMillis: numbers.pick([0, 500, 3_000]),
      }
    case "Pause":
      return { _tag: kind, atMillis, forMillis: short(), livesOnMillis: short() }
    case "Rival":
      return { _tag: kind, atMillis, livesOnMillis: short() }
    case "ClockJump":
    case "ServersClockJump":
      return { _tag: kind, atMillis, millis: numbers.pick(jumps) }
    case "Mode":
      return {
        _tag: kind,
        atMillis,
        entity: place.entity,
        mode: numbers.pick(modes),
        forMillis: short(),
      }
    case "Drain":
      return { _tag: kind, atMillis, entity: place.entity, forMillis: short() }
    case "Retry":
      return { _tag: kind, atMillis, entity: place.entity }
    case "Dismiss":
      return { _tag: kind, atMillis, entity: place.entity, nth: numbers.int(0, 9) }
  }
}

/** People do not know of each other: while one drains an entity, another one sets its mode. */
const meddling = (one: Trouble, numbers: Random): ReadonlyArray<Trouble> => {
  if (one._tag !== "Drain" || !numbers.chance(0.6)) return []
  const atMillis = one.atMillis + numbers.int(0, one.forMillis)
  return [{
    _tag: "Mode",
    atMillis,
    entity: one.entity,
    mode: numbers.pick(modes),
    forMillis: numbers.pick([200, 4_000]),
  }]
}

export const trouble = (
  seed: number,
  places: readonly [Place, ...ReadonlyArray<Place>],
  spanMillis: number,
): ReadonlyArray<Trouble> => {
  const numbers = new Random(seed, "trouble")
  const single = Array.from({ length: numbers.int(0, 14) }, () => make(numbers, numbers.pick(places), spanMillis))
  return single.flatMap((one) => [one, ...meddling(one, numbers)]).sort((a, b) => a.atMillis - b.atMillis)
}

const seconds = (millis: number): string => `${millis > 0 ? "+" : ""}${millis / 1_000} s`

/** What kind of trouble it is, as the report of a campaign counts it. */
export const kindOf = (trouble: Trouble): string => {
  switch (trouble._tag) {
    case "Odoo":
      return `odoo: ${trouble.name}`
    case "Ledger":
      return `ledger fails ${trouble.fault} ${trouble.operation ?? "any call"}`
    case "BrokerFails":
      return `broker fails ${trouble.operation}`
    case "ClockJump":
      return `clock of weir ${seconds(trouble.millis)}`
    case "ServersClockJump":
      return `clock of the servers ${seconds(trouble.millis)}`
    case "Mode":
      return `person wants ${trouble.mode}`
    default:
      return words[trouble._tag]
  }
}

const words = {
  LedgerSlow: "ledger slow",
  BrokerAway: "broker away",
  Interrupted: "consumers interrupted",
  DeliveredTwice: "delivered twice",
  AcksLost: "acks lost",
  ConfirmationsLost: "confirmations lost",
  Kill: "weir killed",
  Crash: "crash planned",
  Stop: "weir stopped",
  Pause: "weir stands still",
  Rival: "two weirs",
  Drain: "person drains",
  Retry: "person retries all",
  Dismiss: "person dismisses one",
} as const

/** How the report calls a crash that has happened. */
export const crashOf = (point: CrashPoint, lost: boolean): string => `crash at ${point}, ${lost ? "lost" : "done"}`

/** Everything that a campaign which is long enough visits. */
export const allKinds: ReadonlyArray<string> = [
  ...Object.keys(odooFaults).map((name) => `odoo: ${name}`),
  ...[...ledgerOperations, "any call"].flatMap((operation) =>
    ["before", "after"].map((fault) => `ledger fails ${fault} ${operation}`)
  ),
  ...brokerOperations.map((operation) => `broker fails ${operation}`),
  ...jumps.flatMap((millis) => [`clock of weir ${seconds(millis)}`, `clock of the servers ${seconds(millis)}`]),
  ...modes.map((mode) => `person wants ${mode}`),
  ...Object.values(words),
  ...crashPoints.flatMap((point) => [crashOf(point, false), crashOf(point, true)]),
]
