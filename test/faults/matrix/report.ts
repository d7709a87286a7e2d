/** `docs/reliability.md`, written by the matrix itself. */
import { catalog } from "../../../streams/catalog.ts"
import type { Result } from "./Result.ts"

export interface Report {
  readonly date: string
  readonly seed: number
  readonly awaySeconds: number
  readonly results: ReadonlyArray<Result>
  /** Faults that were still to come. */
  readonly missing: number
}

type Row = ReadonlyArray<string | number>

/** A column's title; numbers stand at the right. */
interface Column {
  readonly title: string
  readonly right?: boolean
}

/** A table of Markdown, laid out as `deno fmt` would. */
const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(String))]
  const widths = columns.map((_, at) => Math.max(3, ...cells.map((row) => row[at]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${
      row.map((cell, at) => columns[at]!.right === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)).join(
        " | ",
      )
    } |`
  const rule = columns.map(({ right }, at) =>
    right === true ? `${"-".repeat(widths[at]! - 1)}:` : "-".repeat(widths[at]!)
  )
  const [head = [], ...body] = cells
  return [line(head), line(rule), ...body.map(line)]
}

const text = (title: string): Column => ({ title })
const number = (title: string): Column => ({ title, right: true })

const verdict = (right: boolean): string => right ? "yes" : "**NO**"

const summary = ({ events, fault, recoverySeconds, seconds, strikes, wrong }: Result): Row => [
  `\`${fault.name}\``,
  fault.what,
  strikes ?? "",
  events,
  recoverySeconds === null ? "" : recoverySeconds.toFixed(1),
  seconds.toFixed(0),
  verdict(wrong.length === 0),
]

const flows = catalog.map(({ name }) => name)

/** Applied of published, flow by flow. */
const byFlow = ({ fault, outcomes }: Result): Row => [
  `\`${fault.name}\``,
  ...outcomes.map(({ applied, asExpected, published }) =>
    asExpected ? `${applied} / ${published}` : `**NO**: ${applied} / ${published}`
  ),
]

/** What becomes of a flow's events when the input is as it is. */
const becomes = ({ outcomes }: Result): ReadonlyArray<Row> =>
  outcomes.map(({ applied, duplicate, exceptions, flow, published, superseded, waiting }) => [
    flow,
    published,
    applied,
    superseded,
    duplicate,
    waiting,
    exceptions,
  ])

/** Counts of a flow in words that stay, so that the page changes only where a number does. */
export const render = ({ awaySeconds, date, missing, results, seed }: Report): string => {
  const wrong = results.flatMap(({ fault, wrong }) => wrong.map((line) => `- \`${fault.name}\`: ${line}`))
  return [
    "# Reliability",
    "",
    "What happened when things failed: measured, not promised. This page is written by `deno task faults`, which runs",
    "`weir run` as a process on a real `nats-server`, a real PostgreSQL and the stand-in Odoo over HTTP, does one thing to",
    "them while a small month-end of three legal entities (five flows) and the story of every flow (`fixtures/flows/`, each",
    "in a legal entity of its own, with what people do in between) pass through, and compares what stands in ledger and Odoo",
    "with what must stand: every count, every record, every sum to the cent.",
    "",
    `Run of ${date}, seed ${seed}, servers away or frozen for ${awaySeconds} s. Again, with the same choices: ` +
    `\`deno task faults --seed ${seed}\`.${missing === 0 ? "" : ` It was ended before the last ${missing} faults.`}`,
    "",
    "**As expected** means:",
    "",
    "- in every flow of every entity published = applied + superseded + duplicate + waiting + exceptions, each as many as",
    "  expected, and every exception under its code;",
    "- every record stands in Odoo exactly once, with the expected totals, and none that Weir does not know;",
    "- no later event of a business key was settled before an earlier one;",
    "- every outcome event was published once.",
    "",
    "**Recovery** is the time from the end of the fault to the next settled event. Where several blows fell, the last counts.",
    "",
    ...table(
      [
        text("fault"),
        text("what is done"),
        number("times"),
        number("month's events"),
        number("recovery s"),
        number("whole run s"),
        text("as expected"),
      ],
      results.map(summary),
    ),
    "",
    "## By flow",
    "",
    "Applied of published, month and stories together; the others are superseded, duplicates, waiting or exceptions, as they",
    "must be.",
    "",
    ...table([text("fault"), ...flows.map(number)], results.map(byFlow)),
    "",
    "What becomes of the events of each flow when the input is as it is:",
    "",
    ...table(
      ["flow", "published", "applied", "superseded", "duplicate", "waiting", "exceptions"].map((title, at) =>
        at === 0 ? text(title) : number(title)
      ),
      results.slice(0, 1).flatMap(becomes),
    ),
    ...wrong.length === 0 ? [] : ["", "## Not as expected", "", ...wrong],
    "",
  ].join("\n")
}
