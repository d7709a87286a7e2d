/** The status of all entities and flows: from the running service, or from ledger and broker when none answers. */
import { Clock, DateTime, Effect, Layer, Option } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { catalog } from "../../streams/catalog.ts"
import type { Settings } from "../config/Configuration.ts"
import { natsUrlOf, postgresUrlOf } from "../config/Servers.ts"
import { VERSION } from "../config/version.ts"
import { StatusReport, type StatusRow } from "../http/Status.ts"
import { statusRows } from "../http/statusRows.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { brokerOf, ledgerOf, unanswered } from "./ports.ts"
import { type Column, type Paint, table } from "./table.ts"

/** Longest wait for the service's answer; then ledger and broker are asked. */
const SERVICE_TIMEOUT = "3 seconds"

/** Where the service of this configuration listens, as seen from this machine. */
export const serviceUrl = ({ http }: Pick<Settings, "http">): string => {
  const host = http.host === "0.0.0.0" ? "127.0.0.1" : http.host === "::" ? "[::1]" : http.host
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${http.port}`
}

/** The service's own report; none when no weir answers there. */
export const fromService = (url: string): Effect.Effect<Option.Option<StatusReport>> =>
  HttpClient.get(`${url}/status`).pipe(
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(HttpClientResponse.schemaBodyJson(StatusReport)),
    Effect.timeout(SERVICE_TIMEOUT),
    Effect.option,
    Effect.provide(FetchHttpClient.layer),
  )

const fromPorts = (settings: Settings): Effect.Effect<StatusReport, CommandFailed> =>
  Effect.gen(function* () {
    const ports = Layer.merge(
      brokerOf(settings, yield* natsUrlOf(settings)),
      ledgerOf(yield* postgresUrlOf(settings)),
    )
    const rows = yield* statusRows({
      entities: new Map(Object.entries(settings.entities).map(([code, { mode }]) => [code, mode])),
      flows: catalog,
      live: new Map(),
    }).pipe(Effect.provide(ports))
    return { version: VERSION, at: DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis)), rows }
  }).pipe(Effect.mapError((error) =>
    error._tag === "ServersError" || error._tag === "StatusUnavailable"
      ? new CommandFailed({ exit: exitCodes.unreachable, message: error.message })
      : unanswered(error)
  ))

/** The report, from wherever it can be had. `live` is false when no service answered. */
export const statusReport = (
  settings: Settings,
): Effect.Effect<{ readonly live: boolean; readonly report: StatusReport }, CommandFailed> =>
  Effect.gen(function* () {
    const own = yield* fromService(serviceUrl(settings))
    return Option.isSome(own) ? { live: true, report: own.value } : { live: false, report: yield* fromPorts(settings) }
  })

/** `95`, `12m`, `3h`, `4d`: the two largest units would be more exact than anybody needs. */
export const ageOf = (seconds: number | null): string => {
  if (seconds === null) return "-"
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const number = (title: string, cell: (row: StatusRow) => number | null): Column<StatusRow> => ({
  title,
  align: "right",
  cell: (row) => String(cell(row) ?? "?"),
})

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
    cell: ({ decided, mode }) => decided === "" ? mode : `${mode}*`,
    colour: ({ mode }) => mode === "full" ? undefined : "yellow",
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
  { title: "", cell: ({ trouble }) => trouble.slice(0, 80), colour: () => "yellow" },
]

/** Who decided what, below the table. */
const decisions = ({ rows }: StatusReport): ReadonlyArray<string> => {
  const byEntity = new Map(rows.map((row) => [row.entity, row]))
  const lines = [...byEntity.values()].flatMap(({ close, decided, entity, mode }) => [
    ...decided === "" ? [] : [`* ${entity} ${mode}, decided by ${decided}`],
    ...close === "" ? [] : [`* ${entity} closes its books, by ${close}`],
  ])
  return lines.length === 0 ? [] : ["", ...lines]
}

/** The report as lines for people. */
export const render = (report: StatusReport, live: boolean, paint: Paint): string => {
  if (report.rows.length === 0) return "No legal entity is configured. Add one to entities in weir.json."
  const lines = [table(columns, report.rows, paint), ...decisions(report)].join("\n")
  return live ? lines : `${lines}\n\nNo weir answers: counters are the ledger's, nothing runs here.`
}
