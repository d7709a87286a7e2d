/** A sampled CPU profile of this process's JavaScript thread, as text: where the time goes, by part and by function. */
import type { Profiler } from "node:inspector"
import { Session } from "node:inspector/promises"
import { format, table } from "./table.ts"

const INTERVAL_MICROS = 500
/** Functions below this share are left out. */
const LEAST_PERCENT = 0.3

/** The first part whose pattern is found in a function's file counts. */
const parts: ReadonlyArray<readonly [part: string, file: RegExp]> = [
  ["stand-in Odoo", /\/fixtures\/odoo\//u],
  ["NATS client", /@nats-io/u],
  ["PostgreSQL client", /@effect\/sql-pg|effect\/(?:dist|src)\/sql\//u],
  ["JSON of events, envelope, fingerprint", /\/src\/broker\/cloudevents|\/src\/actor\/(?:decode|fingerprint)/u],
  ["schemas", /\/schemas\/|effect\/(?:dist|src)\/(?:Schema|schema|internal\/schema|BigDecimal)/u],
  ["Weir: broker", /\/src\/broker\//u],
  ["Weir: ledger", /\/src\/ledger\//u],
  ["Weir: plan, rows, calls", /\/src\/(?:odoo|flow)\/|\/streams\//u],
  ["Weir: actor", /\/src\/actor\//u],
  ["Weir: telemetry", /\/src\/telemetry\//u],
  ["Effect's runtime", /\/effect\//u],
  ["benchmark", /\/bench\//u],
]

const partOf = ({ functionName, url }: Profiler.ProfileNode["callFrame"]): string => {
  if (functionName === "(garbage collector)") return "garbage collection"
  if (functionName === "(program)") return "runtime, native code"
  return parts.find(([, file]) => file.test(url))?.[0] ?? "runtime, other packages"
}

const placeOf = ({ functionName, lineNumber, url }: Profiler.ProfileNode["callFrame"]): string => {
  const file = url.replace(/^.*\/node_modules\/(?:\.deno\/[^/]+\/node_modules\/)?/u, "").replace(
    /^.*\/((?:src|streams|schemas|fixtures|bench)\/)/u,
    "$1",
  )
  return `${functionName === "" ? "(anonymous)" : functionName}${file === "" ? "" : `  ${file}:${lineNumber + 1}`}`
}

const tableOf = (micros: ReadonlyMap<string, number>, total: number, least: number): string =>
  table(
    [...micros].toSorted((a, b) => b[1] - a[1]).filter(([, own]) => own / total * 100 >= least)
      .map(([name, own]) => [name, `${format(own / total * 100, 1)} %`]),
  )

const textOf = (profile: Profiler.Profile): string => {
  const frames = new Map(profile.nodes.map(({ callFrame, id }) => [id, callFrame]))
  const byPart = new Map<string, number>()
  const byPlace = new Map<string, number>()
  let [idle, total] = [0, 0]
  profile.samples?.forEach((id, index) => {
    const frame = frames.get(id)!
    const micros = profile.timeDeltas?.[index] ?? 0
    if (frame.functionName === "(idle)") return void (idle += micros)
    // What the profiler itself needs.
    if (frame.url.endsWith("/inspector.js")) return
    total += micros
    for (const [sums, name] of [[byPart, partOf(frame)], [byPlace, placeOf(frame)]] as const) {
      sums.set(name, (sums.get(name) ?? 0) + micros)
    }
  })
  const busy = format(total / (idle + total) * 100)
  return [
    `The thread computes for ${format(total / 1e6, 1)} s of ${format((idle + total) / 1e6, 1)} s (${busy} %). Of that:`,
    tableOf(byPart, total, 0),
    `By function, own time, from ${LEAST_PERCENT} % on:`,
    tableOf(byPlace, total, LEAST_PERCENT),
  ].join("\n\n")
}

/** Starts sampling; what it answers stops it and tells where the time went. */
export const sample = async (): Promise<() => Promise<string>> => {
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROS })
  await session.post("Profiler.start")
  return async () => {
    const { profile } = await session.post("Profiler.stop")
    session.disconnect()
    if (process.env.PROF) (await import("node:fs")).writeFileSync(process.env.PROF, JSON.stringify(profile))
    return textOf(profile)
  }
}
