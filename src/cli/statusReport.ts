/** The status of all entities and flows as lines for people. */
import { adviceOf } from "../operate/Credentials.ts"
import type { StatusReport, StatusRow } from "../operate/StatusReport.ts"
import { type Column, type Paint, table } from "./table.ts"

/** `95`, `12m`, `3h`, `4d`: the two largest units would be more exact than anybody needs. */
export const ageOf = (seconds: number | null): string => {
  if (seconds === null) return "-"
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const NOTHING = "No legal entity is configured. Add one to entities in weir.json."

const number = (title: string, cell: (row: StatusRow) => number | null): Column<StatusRow> => ({
  title,
  align: "right",
  cell: (row) => String(cell(row) ?? "?"),
})

/** A feed that has not seen all of Odoo for so long is behind. */
const FEED_BEHIND_SECONDS = 900

const troubleOf = ({ feedAgeSeconds = null, feedTrouble = "", trouble }: StatusRow): string => {
  if (trouble !== "") return trouble
  if (feedTrouble !== "") return `feed: ${feedTrouble}`
  return feedAgeSeconds !== null && feedAgeSeconds > FEED_BEHIND_SECONDS
    ? `feed: has not seen all changes in Odoo for ${ageOf(feedAgeSeconds)}`
    : ""
}

const columns: ReadonlyArray<Column<StatusRow>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "FLOW", cell: ({ flow }) => flow },
  {
    title: "STATE",
    cell: ({ state }) => state,
    colour: ({ state }) =>
      state === "running" ? "green" : state === "stopped" ? "dim" : state === "fenced" ? "red" : "yellow",
  },
  {
    title: "MODE",
    cell: ({ decided, mode, paused }) => `${decided === "" ? mode : `${mode}*`}${paused === "" ? "" : " paused"}`,
    colour: ({ mode, paused }) => mode === "full" && paused === "" ? undefined : "yellow",
  },
  number("BACKLOG", ({ backlog }) => backlog),
  number("IN FLIGHT", ({ inFlight }) => inFlight),
  number("APPLIED", ({ applied }) => applied),
  number("WAITING", ({ behind, waiting }) => waiting + behind),
  {
    ...number("EXCEPTIONS", ({ parked }) => parked),
    colour: ({ parked }) => parked > 0 ? "red" : undefined,
  },
  number("RATE/S", ({ ratePerSecond }) => ratePerSecond),
  { title: "OLDEST", align: "right", cell: ({ oldestAgeSeconds }) => ageOf(oldestAgeSeconds) },
  { title: "", cell: (row) => troubleOf(row).slice(0, 80), colour: () => "yellow" },
]

const owning: ReadonlyArray<Column<StatusRow>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "OWNER", cell: ({ owner }) => owner === "" ? "-" : owner },
  number("EPOCH", ({ epoch }) => epoch),
  { title: "SINCE", cell: ({ since }) => since === null ? "-" : since.replace(/\.\d+Z$/u, "Z") },
]

/** Who owns which legal entity, one line each. */
export const renderOwners = ({ rows }: StatusReport, paint: Paint): string =>
  rows.length === 0 ? NOTHING : table(owning, [...new Map(rows.map((row) => [row.entity, row])).values()], paint)

/** Who decided what, and what ends soon, below the table. */
const decisions = ({ archives = [], credentials = [], rows }: StatusReport): ReadonlyArray<string> => {
  const byEntity = new Map(rows.map((row) => [row.entity, row]))
  const lines = [
    ...[...byEntity.values()].flatMap(({ close, decided, entity, mode }) => [
      ...decided === "" ? [] : [`* ${entity} ${mode}, decided by ${decided}`],
      ...close === "" ? [] : [`* ${entity} closes its books, by ${close}`],
    ]),
    ...rows.filter(({ paused }) => paused !== "").map(({ entity, flow, paused }) =>
      `* ${entity} ${flow} paused by ${paused}`
    ),
    ...archives.map(({ at, entity, oldest, trouble }) => {
      const last = at === null ? "nothing was archived yet" : `archived last ${at}`
      const events = oldest === null ? "" : `, oldest settled events of ${oldest}`
      return trouble === "" ? `* ${entity} ${last}${events}` : `! ${entity} could not archive: ${trouble}; ${last}`
    }),
    ...credentials.flatMap((credential) => {
      const advice = adviceOf(credential)
      return advice === null ? [] : [`! ${advice}`]
    }),
  ]
  return lines.length === 0 ? [] : ["", ...lines]
}

/** The report as lines for people. */
export const render = (report: StatusReport, paint: Paint): string => {
  if (report.rows.length === 0) return NOTHING
  const lines = [table(columns, report.rows, paint), ...decisions(report)].join("\n")
  return report.live ? lines : `${lines}\n\nNo weir answers: counters are the ledger's, nothing runs here.`
}
