/** What a proof of completeness looks like to people: figures by flow, control totals, mismatches. */
import { Console, Duration, Effect } from "effect"
import process from "node:process"
import type { MismatchView, ReconciliationLine, ReconciliationView } from "../operate/reconciliations/views.ts"
import type { FlowReport } from "../reconcile/Report.ts"
import { ask } from "./door.ts"
import { instant, pageLines } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

/** How often it is asked how far it is. */
const POLL = Duration.millis(500)
/** On anything but a terminal a line is said only so often. */
const EVERY = 10

const progressLine = ({ parts }: ReconciliationView): string => {
  const [seen, mismatches] = [0, 0].map((_, n) =>
    parts.reduce((sum, part) => sum + (n === 0 ? part.seen : part.mismatches), 0)
  )
  return `${seen} messages read, ${mismatches} mismatches`
}

/** Asks until all parts are over; shows how far it is. */
export const watch = Effect.fnUntraced(function* (run: string) {
  const terminal = process.stderr.isTTY === true
  for (let n = 0;; n++) {
    const view = yield* ask(({ api }) => api.reconciliations.show({ params: { run } }))
    const over = !view.parts.some(({ state }) => state === "examining")
    if (terminal) process.stderr.write(`\r${progressLine(view)}${over ? "\n" : ""}`)
    else if (n % EVERY === EVERY - 1) yield* Console.error(progressLine(view))
    if (over) return view
    yield* Effect.sleep(POLL)
  }
})

type FlowLine = FlowReport & { readonly entity: string }
const count = (title: string, cell: (line: FlowLine) => number): Column<FlowLine> => ({
  title,
  align: "right",
  cell: (line) => String(cell(line)),
})
const verdictOf = ({ complete, mismatches }: FlowLine): string =>
  complete ? "complete" : Object.entries(mismatches).map(([kind, found]) => `${kind} ${found}`).join(", ")

const flowColumns: ReadonlyArray<Column<FlowLine>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  count("MESSAGES", ({ stream }) => stream.events),
  count("REPEATED", ({ stream }) => stream.duplicates),
  count("APPLIED", ({ ledger }) => ledger.applied),
  count("OPEN", ({ open }) => open),
  count("RECORDS", ({ odoo }) => odoo.records),
  { title: "HASHES", cell: ({ ledger, stream }) => stream.hash === ledger.hash ? "equal" : "different" },
  { title: "VERDICT", cell: verdictOf, colour: ({ complete }) => complete ? "green" : "red" },
]

interface TotalLine {
  readonly entity: string
  readonly flow: string
  readonly name: string
  readonly source: string
  readonly events: string
  readonly due: string
  readonly standing: string
}

const totalColumns: ReadonlyArray<Column<TotalLine>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  { title: "TOTAL", cell: ({ name }) => name },
  { title: "SOURCE", align: "right", cell: ({ source }) => source },
  { title: "EVENTS", align: "right", cell: ({ events }) => events },
  { title: "DUE", align: "right", cell: ({ due }) => due },
  {
    title: "IN ODOO",
    align: "right",
    cell: ({ standing }) => standing,
    colour: ({ due, standing }) => due === standing ? undefined : "red",
  },
]

const totalsOf = ({ entity, flow, odoo, source, stream }: FlowLine): ReadonlyArray<TotalLine> =>
  [...new Set([...Object.keys(stream.amounts), ...Object.keys(source?.amounts ?? {})])].map((name) => ({
    entity,
    flow,
    name,
    source: source?.amounts[name] ?? "",
    events: stream.amounts[name] ?? "",
    due: odoo.due[name] ?? "",
    standing: odoo.standing[name] ?? "",
  }))

/** Who asked, figures by flow, control totals, who stands for it. */
export const proofLines = (view: ReconciliationView, paint: Paint): string => {
  const { parts, period, reason, requestedBy, runId } = view
  const flows = parts.flatMap(({ entity, report }) => (report?.flows ?? []).map((flow) => ({ entity, ...flow })))
  const totals = flows.flatMap(totalsOf)
  const ends = parts.flatMap(({ entity, mismatches, report, signature, state, trouble }) => [
    report === null
      ? `${entity} is ${state}`
      : report.complete
      ? paint(`${entity}: ${period} is complete`, "green")
      : paint(`${entity}: ${mismatches} mismatches`, "red"),
    ...(signature === null ? [] : [
      `${entity}: signed off by ${signature.by} at ${instant(signature.atMillis)} (${signature.reason})`,
    ]),
    ...(trouble === "" ? [] : [paint(`${entity}: ${trouble}`, "yellow")]),
  ])
  return [
    `${runId}: ${period}, asked for by ${requestedBy} (${reason})`,
    ...(flows.length === 0 ? [] : [table(flowColumns, flows, paint)]),
    ...(totals.length === 0 ? [] : [table(totalColumns, totals, paint)]),
    ...ends,
  ].join("\n")
}

/** What was found, in one line. */
const detailOf = ({ detail }: MismatchView): string => {
  const { differences, missing, name, note, pending, record, source, stream } = detail as {
    readonly note?: string
    readonly name?: string
    readonly source?: string | number
    readonly stream?: string | number
    readonly record?: { readonly display_name?: string }
    readonly missing?: ReadonlyArray<{ readonly model: string; readonly externalId: string }>
    readonly differences?: ReadonlyArray<{ readonly field: string; readonly event: string; readonly odoo: string }>
    readonly pending?: ReadonlyArray<{ readonly detail: string }>
  }
  return [
    ...(note === undefined ? [] : [note]),
    ...(record?.display_name === undefined ? [] : [record.display_name]),
    ...(source === undefined ? [] : [`${name ?? "events"}: ${source} says the source, ${stream} is in the stream`]),
    ...(missing ?? []).map(({ externalId, model }) => `${model} ${externalId} is missing`),
    ...(differences ?? []).map(({ event, field, odoo }) => `${field}: "${event}" in the event, "${odoo}" in Odoo`),
    ...(pending ?? []).map((one) => one.detail),
  ].join("; ")
}

const mismatchColumns: ReadonlyArray<Column<MismatchView>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "KEY", cell: ({ key }) => key },
  {
    title: "SEQUENCE",
    align: "right",
    cell: ({ streamSequence }) => streamSequence === 0 ? "" : String(streamSequence),
  },
  { title: "", cell: detailOf },
]

export const mismatchLines = (
  page: { readonly items: ReadonlyArray<MismatchView>; readonly next: string | null },
  paint: Paint,
): string => pageLines(page, (items) => table(mismatchColumns, items, paint), "Nothing differs.")

const listed: ReadonlyArray<Column<ReconciliationLine>> = [
  { title: "RUN", cell: ({ runId }) => runId },
  { title: "AT", cell: ({ createdAtMillis }) => instant(createdAtMillis) },
  { title: "BY", cell: ({ requestedBy }) => requestedBy },
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "PERIOD", cell: ({ period }) => period },
  { title: "STATE", cell: ({ state }) => state },
  {
    title: "VERDICT",
    cell: ({ complete, mismatches }) => complete === null ? "" : complete ? "complete" : `${mismatches} mismatches`,
    colour: ({ complete }) => complete === null ? undefined : complete ? "green" : "red",
  },
  { title: "SIGNED BY", cell: ({ signedBy }) => signedBy ?? "" },
]

export const listLines = (
  page: { readonly items: ReadonlyArray<ReconciliationLine>; readonly next: string | null },
  paint: Paint,
): string => pageLines(page, (items) => table(listed, items, paint), "No reconciliations.")
