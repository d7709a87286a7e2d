/** What a replay looks like to people: progress, totals, findings. */
import { Console, Duration, Effect } from "effect"
import process from "node:process"
import type { RunState } from "../ledger/Runs.ts"
import type { FindingView, ReplayView } from "../operate/replays/views.ts"
import { ask } from "./door.ts"
import { instant, pageLines } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

/** How often it is asked how far it is. */
const POLL = Duration.millis(500)
/** On anything but a terminal a line is said only so often. */
const EVERY = 10
const BAR = 30

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** Counts by class over all parts and flows. */
const classesOf = ({ parts }: ReplayView): Readonly<Record<string, number>> => {
  const totals: Record<string, number> = {}
  for (const { findings } of parts) {
    for (const own of Object.values(findings)) {
      for (const [name, count] of Object.entries(own)) totals[name] = (totals[name] ?? 0) + count
    }
  }
  return totals
}

const ACTED = ["create", "update", "unfinished", "unrecorded", "changed"]

/** `[#####.....] 40 of 100 brought again`, or how many were looked at. */
export const progressLine = (view: ReplayView): string => {
  const seen = view.parts.reduce((total, { seen }) => total + seen, 0)
  const done = view.parts.reduce((total, { outcomes }) => total + sum(outcomes), 0)
  if (!view.parts.some(({ state }) => state === "applying" || state === "paused")) return `${seen} events looked at`
  const classes = classesOf(view)
  const due = Math.max(done, ACTED.reduce((total, name) => total + (classes[name] ?? 0), 0))
  const filled = due === 0 ? BAR : Math.round(done / due * BAR)
  return `[${"#".repeat(filled)}${".".repeat(BAR - filled)}] ${done} of ${due} gone through`
}

/** Asks until no part is in one of `states` any more; shows how far it is. */
export const watch = Effect.fnUntraced(function* (run: string, states: ReadonlyArray<RunState>) {
  const terminal = process.stderr.isTTY === true
  for (let n = 0;; n++) {
    const view = yield* ask(({ api }) => api.replays.show({ params: { run } }))
    const over = !view.parts.some(({ state }) => states.includes(state))
    if (terminal) process.stderr.write(`\r${progressLine(view)}${over ? "\n" : ""}`)
    else if (n % EVERY === EVERY - 1) yield* Console.error(progressLine(view))
    if (over) return view
    yield* Effect.sleep(POLL)
  }
})

interface Line {
  readonly entity: string
  readonly state: RunState
  readonly flow: string
  readonly finding: string
  readonly count: number
}

const lines: ReadonlyArray<Column<Line>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "STATE", cell: ({ state }) => state },
  { title: "FLOW", cell: ({ flow }) => flow },
  {
    title: "FINDING",
    cell: ({ finding }) => finding,
    colour: ({ finding }) => finding === "there" ? "green" : ACTED.includes(finding) ? "yellow" : undefined,
  },
  { title: "EVENTS", align: "right", cell: ({ count }) => String(count) },
]

/** Who asked, totals by flow and class, what became of it. */
export const replayLines = (view: ReplayView, paint: Paint): string => {
  const totals = view.parts.flatMap(({ entity, findings, state }) =>
    Object.entries(findings).flatMap(([flow, own]) =>
      Object.entries(own).map(([finding, count]) => ({ entity, state, flow, finding, count }))
    )
  )
  const about = `${view.runId}: ${view.subject} from ${view.source}, asked for by ${view.requestedBy} (${view.reason})`
  const ends = view.parts.flatMap(({ appliedBy, entity, outcomes, state, trouble }) => [
    ...(sum(outcomes) === 0 ? [] : [
      `${entity}: ${Object.entries(outcomes).map(([name, count]) => `${count} ${name}`).join(", ")} (${appliedBy})`,
    ]),
    ...(trouble === "" ? [] : [paint(`${entity} is ${state}: ${trouble}`, "yellow")]),
  ])
  return [about, totals.length === 0 ? "No event fits." : table(lines, totals, paint), ...ends].join("\n")
}

/** What differs, in one line: `name: "A" here, "B" in Odoo`. */
const differenceOf = (detail: FindingView["detail"]): string => {
  const { differences, missing, note, pending } = detail as {
    readonly note?: string
    readonly missing?: ReadonlyArray<{ readonly model: string; readonly externalId: string }>
    readonly differences?: ReadonlyArray<{ readonly field: string; readonly event: string; readonly odoo: string }>
    readonly pending?: ReadonlyArray<{ readonly detail: string }>
  }
  return [
    ...(note === undefined ? [] : [note]),
    ...(missing ?? []).map(({ externalId, model }) => `${model} ${externalId} is missing`),
    ...(differences ?? []).map(({ event, field, odoo }) => `${field}: "${event}" here, "${odoo}" in Odoo`),
    ...(pending ?? []).map((one) => one.detail),
  ].join("; ")
}

const findingColumns: ReadonlyArray<Column<FindingView>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "SEQUENCE", align: "right", cell: ({ streamSequence }) => String(streamSequence) },
  { title: "TYPE", cell: ({ type }) => type },
  { title: "KEY", cell: ({ key }) => key },
  { title: "FINDING", cell: ({ finding }) => finding },
  { title: "OUTCOME", cell: ({ outcome }) => outcome ?? "" },
  { title: "", cell: ({ detail }) => differenceOf(detail) },
]

export const findingLines = (
  page: { readonly items: ReadonlyArray<FindingView>; readonly next: string | null },
  paint: Paint,
): string => pageLines(page, (items) => table(findingColumns, items, paint), "Nothing to be told event by event.")

const listed: ReadonlyArray<Column<ReplayView>> = [
  { title: "RUN", cell: ({ runId }) => runId },
  { title: "AT", cell: ({ createdAtMillis }) => instant(createdAtMillis) },
  { title: "BY", cell: ({ requestedBy }) => requestedBy },
  { title: "ENTITY", cell: ({ parts }) => parts.map(({ entity }) => entity).join(",") },
  { title: "STATE", cell: ({ parts }) => [...new Set(parts.map(({ state }) => state))].join(",") },
  { title: "SUBJECT", cell: ({ subject }) => subject },
  {
    title: "FOUND",
    cell: (view) => Object.entries(classesOf(view)).map(([name, count]) => `${name} ${count}`).join(", "),
  },
]

export const listLines = (
  page: { readonly items: ReadonlyArray<ReplayView>; readonly next: string | null },
  paint: Paint,
): string => pageLines(page, (items) => table(listed, items, paint), "No replays.")
