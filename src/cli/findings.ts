/** What `weir doctor` finds out, and how it is told. */
import { Effect } from "effect"
import { type Column, type Paint, table } from "./table.ts"

/** Longest wait for one question of a check. */
export const CHECK_TIMEOUT = "15 seconds"

export interface Finding {
  /** What was looked at: `broker`, `be01`. */
  readonly area: string
  readonly check: string
  readonly level: "ok" | "warn" | "fail"
  /** What was found. */
  readonly detail: string
  /** What to do about it; empty when all is well. */
  readonly action: string
}

export const ok = (area: string, check: string, detail: string): Finding => ({
  area,
  check,
  level: "ok",
  detail,
  action: "",
})
export const warn = (area: string, check: string, detail: string, action: string): Finding => ({
  area,
  check,
  level: "warn",
  detail,
  action,
})
export const fail = (area: string, check: string, detail: string, action: string): Finding => ({
  area,
  check,
  level: "fail",
  detail,
  action,
})

/** A check that never fails: what goes wrong is its finding. */
export const finding = <E extends { readonly message: string }, R>(
  area: string,
  check: string,
  action: string,
  probe: Effect.Effect<Finding | ReadonlyArray<Finding>, E, R>,
): Effect.Effect<ReadonlyArray<Finding>, never, R> =>
  probe.pipe(
    Effect.map((found): ReadonlyArray<Finding> => "level" in found ? [found] : found),
    Effect.timeoutOrElse({
      duration: CHECK_TIMEOUT,
      orElse: () => Effect.succeed([fail(area, check, `no answer in ${CHECK_TIMEOUT}`, action)]),
    }),
    Effect.catch((error) => Effect.succeed([fail(area, check, error.message, action)])),
  )

const colours = { ok: "green", warn: "yellow", fail: "red" } as const

const columns: ReadonlyArray<Column<Finding>> = [
  { title: "", cell: ({ level }) => level, colour: ({ level }) => colours[level] },
  { title: "WHAT", cell: ({ area }) => area },
  { title: "CHECK", cell: ({ check }) => check },
  { title: "FOUND", cell: ({ detail }) => detail },
]

/** Findings as lines for people: a table, then what to do. */
export const renderFindings = (findings: ReadonlyArray<Finding>, paint: Paint): string => {
  const todo = findings.filter(({ action }) => action !== "")
  const failed = findings.filter(({ level }) => level === "fail").length
  const warned = findings.filter(({ level }) => level === "warn").length
  return [
    table(columns, findings, paint),
    ...(todo.length === 0 ? [] : ["", "To do:"]),
    ...todo.map(({ action, area, check }) => `- ${area}, ${check}: ${action}`),
    "",
    failed === 0 && warned === 0 ? "All is well." : `${failed} failed, ${warned} to look at.`,
  ].join("\n")
}
