/** `docs/reliability.md`, written by the matrix itself. */
import { agrees, type Figure, type Scenario } from "../../../fixtures/scenario.ts"
import type { Fault } from "./Fault.ts"

export interface Result {
  readonly fault: Fault
  readonly scenario: Scenario
  readonly figures: ReadonlyArray<Figure>
  readonly wrong: ReadonlyArray<string>
  /** How often the fault struck; null where the input is the fault. */
  readonly strikes: number | null
  /** From the end of the fault until the next event was settled; null where the fault does not end. */
  readonly recoverySeconds: number | null
  readonly seconds: number
}

export interface Report {
  readonly date: string
  readonly seed: number
  readonly awaySeconds: number
  readonly results: ReadonlyArray<Result>
}

const flows = ["customers", "engagements", "timesheets", "invoices", "payments"] as const
type FlowName = typeof flows[number]

const sum = (figures: ReadonlyArray<Figure>, flow: FlowName, ...what: ReadonlyArray<string>): number =>
  figures.filter((figure) => figure.flow === flow && what.includes(figure.what)).reduce(
    (total, { actual }) => total + Number(actual),
    0,
  )

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

const summary = ({ fault, recoverySeconds, scenario, seconds, strikes, wrong }: Result): Row => [
  `\`${fault.name}\``,
  fault.what,
  strikes ?? "",
  scenario.expected.events,
  recoverySeconds === null ? "" : recoverySeconds.toFixed(1),
  seconds.toFixed(0),
  wrong.length === 0 ? "yes" : "**NO**",
]

const detail = ({ fault, figures, scenario }: Result): ReadonlyArray<Row> =>
  flows.map((flow) => {
    const published = Object.values(scenario.expected.entities).reduce(
      (all, { flows }) => all + flows[flow].published,
      0,
    )
    const counts = [
      sum(figures, flow, "applied"),
      sum(figures, flow, "superseded"),
      sum(figures, flow, "duplicate"),
      sum(figures, flow, "waiting"),
      sum(figures, flow, "parked", "behind"),
    ]
    const whole = counts.reduce((all, count) => all + count, 0) === published
    const right = whole && figures.filter((figure) => figure.flow === flow).every(agrees)
    return [
      `\`${fault.name}\``,
      flow,
      published,
      ...counts,
      sum(figures, flow, "odoo records"),
      right ? "yes" : "**NO**",
    ]
  })

/** Counts of a flow in words that stay, so that the page changes only where a number does. */
export const render = ({ awaySeconds, date, results, seed }: Report): string => {
  const wrong = results.flatMap(({ fault, wrong }) => wrong.map((line) => `- \`${fault.name}\`: ${line}`))
  return [
    "# Reliability",
    "",
    "What happened when things failed: measured, not promised. This page is written by `deno task faults`, which runs",
    "`weir run` as a process on a real `nats-server`, a real PostgreSQL and the stand-in Odoo over HTTP, does one thing to",
    "them while a small month-end of three legal entities and five flows is published and passes through, and compares what",
    "stands in ledger and Odoo with what must stand: every count, every sum to the cent.",
    "",
    `Run of ${date}, seed ${seed}, servers away or frozen for ${awaySeconds} s. Again, with the same choices: ` +
    `\`deno task faults --seed ${seed}\`.`,
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
        number("events"),
        number("recovery s"),
        number("whole run s"),
        text("as expected"),
      ],
      results.map(summary),
    ),
    "",
    "## By flow",
    "",
    "All three legal entities together. Exceptions include events behind one of the same key.",
    "",
    ...table(
      [
        text("fault"),
        text("flow"),
        ...["published", "applied", "superseded", "duplicate", "waiting", "exceptions", "in Odoo"].map(number),
        text("as expected"),
      ],
      results.flatMap(detail),
    ),
    ...wrong.length === 0 ? [] : ["", "## Not as expected", "", ...wrong],
    "",
  ].join("\n")
}
