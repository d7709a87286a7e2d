/** The report of a proof for people: one HTML page without anything from outside, to be read, printed and filed. */
import type { FlowReport, ReconciliationReport, Signature } from "./Report.ts"
import { hashOf } from "./Report.ts"
import { mismatches as meanings, type MismatchKind } from "./Account.ts"

type Html = string

export interface PageMismatch {
  readonly flow: string
  readonly kind: string
  readonly key: string
  readonly streamSequence: number
  readonly detail: unknown
}

export interface ReportPage {
  readonly runId: string
  readonly requestedBy: string
  readonly reason: string
  readonly sections: ReadonlyArray<{
    readonly report: ReconciliationReport
    readonly signature: Signature | null
    /** The first of them. */
    readonly mismatches: ReadonlyArray<PageMismatch>
  }>
}

const escape = (text: string): Html =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2733}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.3rem .6rem;border-bottom:1px solid #d9e0e7;
text-align:left;vertical-align:top}th{color:#5b6b7b;font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}
.met{color:#0b6b3a}.missed{color:#a3231f}code{font-size:12px;word-break:break-all}.quiet{color:#5b6b7b}
@media print{body{margin:0;max-width:none}section{break-inside:auto}tr{break-inside:avoid}}`

const cell = (text: string | number, kind = ""): Html =>
  `<td${kind === "" ? "" : ` class="${kind}"`}>${escape(String(text))}</td>`
const titles = (...names: ReadonlyArray<string>): Html =>
  `<tr>${
    names.map((name) =>
      name.startsWith("#") ? `<th class="n">${escape(name.slice(1))}</th>` : `<th>${escape(name)}</th>`
    )
      .join("")
  }</tr>`
const table = (head: Html, rows: ReadonlyArray<Html>): Html => `<table>${head}${rows.join("\n")}</table>`

const verdictOf = (complete: boolean, mismatches: number): Html =>
  complete ? `<b class="met">complete</b>` : `<b class="missed">${mismatches} mismatches</b>`

const flowRow = (flow: FlowReport): Html => {
  const { complete, ledger, mismatches, odoo, open, stream } = flow
  const found = Object.values(mismatches).reduce((sum, count) => sum + count, 0)
  const cells = [
    cell(flow.flow),
    ...[
      stream.events,
      stream.duplicates,
      ledger.applied,
      ledger.superseded,
      ledger.dismissed,
      ledger.held + ledger.coming,
      odoo.records,
    ].map((count) => cell(count, "n")),
    `<td>${stream.hash === ledger.hash ? "equal" : `<b class="missed">different</b>`}</td>`,
    `<td>${verdictOf(complete, found)}${open > 0 ? ` <span class="quiet">${open} open</span>` : ""}</td>`,
  ]
  return `<tr>${cells.join("")}</tr>`
}

/** Control totals: a line for each amount of a flow, and what of the four does not agree. */
const totalRows = ({ flow, odoo, source, stream }: FlowReport): ReadonlyArray<Html> =>
  [...new Set([...Object.keys(stream.amounts), ...Object.keys(source?.amounts ?? {})])].map((name) => {
    const [said, told, due, standing] = [stream.amounts, source?.amounts ?? {}, odoo.due, odoo.standing].map((
      amounts,
    ) => amounts[name] ?? "")
    const differs = due !== standing || (told !== "" && told !== said)
    return `<tr>${cell(flow)}${cell(name)}${cell(told!, "n")}${cell(said!, "n")}${cell(due!, "n")}${
      cell(standing!, differs ? "n missed" : "n")
    }</tr>`
  })

const mismatchRow = ({ detail, flow, key, kind, streamSequence }: PageMismatch): Html =>
  `<tr>${cell(flow)}${cell(kind)}${cell(key)}${cell(streamSequence === 0 ? "" : streamSequence, "n")}<td>${
    escape(meanings[kind as MismatchKind] ?? "")
  }<br><code>${escape(JSON.stringify(detail))}</code></td></tr>`

const signatureOf = (report: ReconciliationReport, signature: Signature | null): Html => {
  if (signature === null) {
    return `<p class="quiet">Not signed off. SHA-256 of the report: <code>${hashOf(report)}</code></p>`
  }
  const at = new Date(signature.atMillis).toISOString()
  return `<p>Signed off by <b>${escape(signature.by)}</b> on ${at}: ${escape(signature.reason)}. ` +
    `SHA-256 of the report: <code>${escape(signature.hash)}</code></p>`
}

const section = ({ mismatches, report, signature }: ReportPage["sections"][number]): Html => {
  const { at, complete, entity, flows, period, scanned } = report
  const totals = flows.flatMap(totalRows)
  const left = report.mismatches - mismatches.length
  return `<section><h2>${escape(entity)}, ${escape(period)}: ${verdictOf(complete, report.mismatches)}</h2>
<p class="quiet">As of ${escape(at)}. ${scanned.messages} messages since ${
    escape(scanned.from)
  } were read, up to position ${scanned.lastSequence} of the stream.</p>
${signatureOf(report, signature)}
${
    table(
      titles(
        "Flow",
        "#Messages",
        "#Repeated",
        "#Applied",
        "#Superseded",
        "#Dismissed",
        "#Open",
        "#Records",
        "Hashes",
        "Verdict",
      ),
      flows.map(flowRow),
    )
  }
${
    totals.length === 0
      ? ""
      : `<h2>Control totals</h2>${table(titles("Flow", "Amount", "#Source", "#Events", "#Due", "#In Odoo"), totals)}`
  }
${
    mismatches.length === 0
      ? ""
      : `<h2>Mismatches</h2>${
        table(titles("Flow", "Kind", "Key", "#Position", "What was found"), mismatches.map(mismatchRow))
      }${left > 0 ? `<p class="quiet">${left} more are not shown here.</p>` : ""}`
  }</section>`
}

export const page = ({ reason, requestedBy, runId, sections }: ReportPage): Html =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Completeness ${
    escape(sections[0]?.report.period ?? "")
  }</title><style>${STYLE}</style></head>
<body><header><h1>Proof of completeness</h1><p class="quiet">Run ${escape(runId)}, asked for by ${
    escape(requestedBy)
  }: ${escape(reason)}. Stream, ledger and Odoo against each other.</p></header>
${sections.map(section).join("\n")}
</body></html>
`
