/** Exceptions as lines for people. */
import type { AmendmentView } from "../../operate/Corrections.ts"
import type { ExceptionDetail, ExceptionView, GroupView } from "../../operate/exceptions/views.ts"
import type { RedriveView } from "../../operate/Redriving.ts"
import { instant } from "../show.ts"
import { type Column, type Paint, table } from "../table.ts"

/** A cause in a table; `exceptions show` has all of it. */
const MAX_DETAIL = 90
const short = (text: string): string => text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text

const rows: ReadonlyArray<Column<ExceptionView>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  { title: "EVENT", cell: ({ eventId }) => eventId },
  { title: "KEY", cell: ({ key }) => key },
  {
    title: "CODE",
    cell: ({ code }) => code,
    colour: ({ state }) => state === "waiting" ? "yellow" : "red",
  },
  { title: "SINCE", cell: ({ heldSinceMillis }) => instant(heldSinceMillis) },
  { title: "TRIES", align: "right", cell: ({ attempts }) => String(attempts) },
  { title: "WHOSE", cell: ({ assignee }) => assignee ?? "-" },
  { title: "CAUSE", cell: ({ detail }) => short(detail) },
]
export const exceptionLines = (items: ReadonlyArray<ExceptionView>, paint: Paint): string => table(rows, items, paint)

const groups: ReadonlyArray<Column<GroupView>> = [
  { title: "NUMBER", align: "right", cell: ({ count }) => String(count) },
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  { title: "CODE", cell: ({ code }) => code },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "FINGERPRINT", cell: ({ fingerprint }) => fingerprint },
  { title: "CAUSE", cell: ({ cause }) => short(cause) },
]
export const groupLines = (items: ReadonlyArray<GroupView>, paint: Paint): string => table(groups, items, paint)

const fields = (pairs: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> => {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.filter(([, value]) => value !== "").map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

const adviceOf = ({ entity, eventId, recommendation }: ExceptionDetail): ReadonlyArray<string> => {
  const { action, evidence: { dismissed, edited, examples, looked, recurred, retried }, learned, text } = recommendation
  const counted = `of ${looked} that ended: ${retried} tried again, ${edited} corrected, ${dismissed} dismissed; ` +
    `${recurred} failed again`
  const accept = action === "mend" ? [] : [`Accept: weir exceptions ${action} ${entity} ${eventId} --reason …`]
  return [
    `Recommended: ${action}. ${text}`,
    learned
      ? `Learned from ${counted}.`
      : "Too few ended before to learn from: this is what the code is documented with.",
    ...examples.map((one) => `  ${instant(one.atMillis)}  ${one.entity} ${one.eventId}  ${one.how} by ${one.by}`),
    ...accept,
  ]
}

export const detailLines = (detail: ExceptionDetail, paint: Paint): string => {
  const { followers, history, payload, standing, waitsFor } = detail
  const records = standing.records.map(({ fields, id, model }) =>
    `  ${model} ${id}: ${
      fields === null ? "gone" : Object.entries(fields).map(([name, value]) => `${name} ${value}`).join(", ")
    }`
  )
  return [
    ...fields([
      ["Event", `${detail.eventId} (${detail.type}), stream ${detail.streamSequence}`],
      ["Entity", `${detail.entity}, flow ${detail.flow}, key ${detail.key}`],
      ["State", `${detail.state} since ${instant(detail.heldSinceMillis)}, ${detail.attempts} tries`],
      ["Cause", paint(`${detail.code}: ${detail.title}`, "red")],
      ["", detail.detail],
      [
        "Waits for",
        waitsFor === null ? "" : `${waitsFor.flow} ${waitsFor.key} until ${instant(detail.deadlineMillis)}`,
      ],
      ["Whose", detail.assignee ?? "nobody's"],
      ["Correlation", detail.correlationId ?? ""],
      [
        "Followers",
        followers.count === 0 ? "none" : `${followers.count} held behind it: ${followers.first.join(", ")}`,
      ],
    ]),
    "",
    standing.trouble === "" ? "In Odoo:" : `In Odoo: ${standing.trouble}`,
    ...(records.length === 0 && standing.trouble === "" ? ["  nothing that is known"] : records),
    "",
    payload === null ? "The message is in the stream only." : `Payload (${payload.hash.slice(0, 12)}):`,
    ...(payload === null ? [] : [JSON.stringify(payload.envelope ?? payload.raw ?? payload.headers, null, 2)]),
    "",
    "History:",
    ...history.map(({ action, actor, atMillis, text }) =>
      `  ${instant(atMillis)}  ${action} by ${actor}  ${text}`.trimEnd()
    ),
    "",
    ...adviceOf(detail),
  ].join("\n")
}

const changed = (value: unknown): string => value === undefined ? "nothing" : JSON.stringify(value)

export const amendmentText = (amendment: AmendmentView): string => {
  const { changes, decidedBy, eventId, financial, id, proposedBy, state } = amendment
  const next = state === "proposed"
    ? `It moves money: weir amendment approve ${id} --reason …, by somebody else than ${proposedBy}.`
    : state === "applied"
    ? "It is on its way again."
    : ""
  return [
    `Amendment ${id} of ${eventId}: ${state}, proposed by ${proposedBy}${
      decidedBy === null ? "" : `, decided by ${decidedBy}`
    }` +
    `${financial ? ", moves money" : ""}`,
    ...changes.map(({ from, path, to }) => `  ${path}: ${changed(from)} -> ${changed(to)}`),
    ...(next === "" ? [] : [next]),
  ].join("\n")
}

const amendments: ReadonlyArray<Column<AmendmentView>> = [
  { title: "ID", align: "right", cell: ({ id }) => String(id) },
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "EVENT", cell: ({ eventId }) => eventId },
  { title: "STATE", cell: ({ state }) => state, colour: ({ state }) => state === "proposed" ? "yellow" : undefined },
  { title: "MONEY", cell: ({ financial }) => financial ? "yes" : "no" },
  { title: "PROPOSED BY", cell: ({ proposedBy }) => proposedBy },
  { title: "AT", cell: ({ proposedAtMillis }) => instant(proposedAtMillis) },
  { title: "DECIDED BY", cell: ({ decidedBy }) => decidedBy ?? "-" },
  { title: "CHANGES", cell: ({ changes }) => short(changes.map(({ path }) => path).join(", ")) },
]
export const amendmentLines = (items: ReadonlyArray<AmendmentView>, paint: Paint): string =>
  table(amendments, items, paint)

const redrives: ReadonlyArray<Column<RedriveView>> = [
  { title: "ID", align: "right", cell: ({ id }) => String(id) },
  { title: "ENTITY", cell: ({ entity }) => entity },
  {
    title: "WHAT",
    cell: ({ code, fingerprint, flow }) => [flow, code, fingerprint].filter((part) => part !== null).join(" "),
  },
  { title: "STATE", cell: ({ state }) => state, colour: ({ state }) => state === "stopped" ? "red" : undefined },
  { title: "STEP", align: "right", cell: ({ step, stepSize }) => `${step} (${stepSize})` },
  { title: "RETRIED", align: "right", cell: ({ retried }) => String(retried) },
  { title: "PENDING", align: "right", cell: ({ pending }) => String(pending) },
  { title: "THROUGH", align: "right", cell: ({ resolved }) => String(resolved) },
  { title: "FAILED AGAIN", align: "right", cell: ({ otherwise, recurred }) => String(recurred + otherwise) },
  { title: "BY", cell: ({ startedBy }) => startedBy },
  { title: "", cell: ({ said }) => said },
]
export const redriveLines = (items: ReadonlyArray<RedriveView>, paint: Paint): string => table(redrives, items, paint)
