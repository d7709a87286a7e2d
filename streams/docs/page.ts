/** `docs/flows/<flow>.md`, made from the declarations, the ownership table, and the examples of `docs/events.md`. */
import { Schema } from "effect"
import type { EventSpec, Flow } from "../../src/flow/Flow.ts"
import type { StatusTable } from "../../src/flow/Status.ts"
import type { Step } from "../../src/flow/Step.ts"
import { Duration } from "effect"
import { ownership } from "../ownership.ts"

/** What an exception of the flow looks like, from its fixture. */
export interface Seen {
  readonly code: string
  readonly detail: string
}

export interface Sources {
  /** The payload of an event type's example; undefined when it has none. */
  readonly exampleOf: (type: string) => unknown
  /** Exceptions that fixtures show, by flow. */
  readonly exceptions: ReadonlyMap<string, ReadonlyArray<Seen>>
  /** Each case, and which events of the fixtures show it of a flow or why it cannot happen. */
  readonly casesOf: (flow: string) => ReadonlyArray<readonly [name: string, shown: string]>
}

const cell = (text: string): string => text.replaceAll("|", "\\|")

/** Columns padded to one width, as the formatter wants them. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const cells = rows.map((row) => row.map(cell))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)))
  const [head, ...body] = cells.map((row) => `| ${row.map((one, at) => one.padEnd(widths[at] ?? 0)).join(" | ")} |`)
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n")
}

const doing = (step: Step<unknown>): string => {
  switch (step._tag) {
    case "Load":
      return step.mode === "create" ? "made once, left as it stands" : "made, or brought to this version"
    case "Transition":
      return `${step.method}: ${step.from.join(", ")} to ${step.to.join(", ")}`
    case "Invoke":
      return step.method
    case "Compare":
      return `compared with what is promised, else ${step.code}`
    case "Check":
      return "rule"
    case "Update":
      return "fields set"
    case "Unlink":
      return "deleted"
    default:
      return "read"
  }
}

const planOf = (spec: EventSpec<unknown>): string =>
  spec.plan.length === 0 ? "A fact of the ledger: nothing is written to Odoo." : table([
    ["step", "model", "what"],
    ...spec.plan.map((step) => [step.name, "model" in step ? step.model : "", doing(step)]),
  ])

const schemaText = ({ schema }: EventSpec<unknown>): string => {
  const { schema: json } = Schema.toJsonSchemaDocument(schema)
  const description = "description" in json ? json["description"] : undefined
  return typeof description === "string" ? `${description}. ` : ""
}

const types = (all: ReadonlyArray<string>): string => all.map((type) => `\`${type}\``).join(", ")

const statusTable = ({ rows, version }: StatusTable<string>): string =>
  [
    `Version ${version} of what the states mean, first row that fits:`,
    "",
    table([
      ["state", "payment state", "open", "status"],
      ...rows.map((row) => [row.state, row.paymentState, row.open, row.status]),
    ]),
    "",
  ].join("\n")

const feedSection = ({ feed }: Flow): string => {
  if (feed === undefined) return ""
  return [
    "## What people change in Odoo",
    "",
    `Seen in \`${feed.model}\` by a feed (\`feed\` in \`weir.json\`) and published once, whoever did it. What this flow has told itself is not told again.`,
    "",
    table([["event", "when"], ...feed.facts.map(({ type, when }) => [`\`${type}\``, when])]),
    "",
    // The newest counts.
    ...(feed.statuses ?? []).toReversed().map(statusTable),
  ].join("\n")
}

const eventSection = (spec: EventSpec<unknown>, { exampleOf }: Sources): string => {
  const example = exampleOf(spec.type)
  const coordinates = example === undefined ? [] : (() => {
    const data = Schema.decodeUnknownSync(spec.schema)(example)
    const named = (references: ReadonlyArray<{ readonly flow: string; readonly key: string }>) =>
      references.map(({ flow, key }) => `\`${flow}/${key}\``).join(", ") || "nothing"
    return [
      `- Key: \`${spec.key(data)}\``,
      `- Parents: ${spec.parents(data).map((name) => `\`${name}\``).join(", ") || "none"}`,
      `- Waits for: ${named(spec.references(data))}`,
      ...(spec.consults === undefined ? [] : [`- Consults: ${named(spec.consults(data))}`]),
      ...(spec.holds === undefined ? [] : [`- Held back by: ${named(spec.holds(data))}`]),
    ]
  })()
  const versions = spec.versions === "once" ? "written once" : "the newest version stands"
  return [
    `## \`${spec.type}\``,
    "",
    `${schemaText(spec)}Fields and an example: [docs/events.md](../events.md#${spec.type.replaceAll(".", "")}).`,
    "",
    `- Version ${spec.version}; ${versions}`,
    ...coordinates,
    ...((spec.publishes ?? []).length === 0 ? [] : [`- Publishes: ${types(spec.publishes ?? [])}`]),
    "",
    planOf(spec),
    "",
  ].join("\n")
}

const ownershipSection = (flow: Flow): string => {
  const own = ownership.find((one) => one.flow === flow.name)
  if (own === undefined) return ""
  const list = (columns: string | undefined) => columns === undefined ? "–" : `\`${columns.split(" ").join("`, `")}\``
  return [
    "## What it may write",
    "",
    `System of record of the ${own.object}: **${own.owner}**. All other fields are Odoo's users': a call that would write one is not made.`,
    "",
    table([
      ["model", "with each version", "when it is made", "out of a locked period", "deleted"],
      ...Object.entries(own.writes).map(([model, { always, deletes, first, moved }]) => [
        `\`${model}\``,
        list(always),
        list(first),
        list(moved),
        deletes === true ? "its own" : "–",
      ]),
    ]),
    "",
  ].join("\n")
}

const exceptionSection = (flow: Flow, { exceptions }: Sources): string => {
  const seen = exceptions.get(flow.name) ?? []
  if (seen.length === 0) return ""
  return [
    "## Exceptions that its fixture shows",
    "",
    "What each code asks for: [docs/exceptions.md](../exceptions.md).",
    "",
    table([["code", "detail"], ...seen.map(({ code, detail }) => [`\`${code}\``, detail])]),
    "",
  ].join("\n")
}

const caseSection = (flow: Flow, { casesOf }: Sources): string =>
  [
    "## Cases",
    "",
    "Replayed on the stand-in and on a real Odoo: `fixtures/flows/`.",
    "",
    table([["case", "shown by"], ...casesOf(flow.name)]),
    "",
  ].join("\n")

const WIDTH = 120

/** Words in lines no longer than the page is wide; what hangs below a list's item is indented. */
const wrapped = (text: string): string => {
  if (text.length <= WIDTH || text.startsWith("|")) return text
  const indent = text.startsWith("- ") ? "  " : ""
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(word)
    else if (last.length + 1 + word.length > WIDTH) lines.push(`${indent}${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.join("\n")
}

/** The page of one flow. */
export const page = (flow: Flow, sources: Sources): string =>
  [
    `# ${flow.name}`,
    "",
    `${flow.description}.`,
    "",
    "Generated by `deno task flows` from `streams/`.",
    "",
    `- Subjects: \`erp.<entity>.${flow.domain}.>\``,
    `- Lane: ${flow.lane}; up to ${flow.batch.size} events a batch, ${flow.inFlight} in flight`,
    `- What is missing is waited for: ${Duration.format(Duration.fromInputUnsafe(flow.referenceDeadline))}`,
    "",
    ...flow.events.map((spec) => eventSection(spec, sources)),
    feedSection(flow),
    ownershipSection(flow),
    exceptionSection(flow, sources),
    caseSection(flow, sources),
  ].join("\n").replaceAll(/\n{3,}/gu, "\n\n").trimEnd().split("\n").map(wrapped).join("\n") + "\n"
