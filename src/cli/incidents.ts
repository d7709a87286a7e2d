/** `weir incidents`: what went wrong with dependencies, when it was noticed, contained and over. */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { IncidentView } from "../operate/Incidents.ts"
import { ask } from "./door.ts"
import { given } from "./given.ts"
import { jsonFlag } from "./root.ts"
import { instant, operation, pageFlags, pageLines, show } from "./show.ts"
import { type Column, type Paint, table } from "./table.ts"

/** `3.2 s`, `4.5 min`, `2.0 h`: from one time to another. */
const span = (from: number, to: number | null): string => {
  if (to === null) return "-"
  const seconds = Math.max(0, to - from) / 1_000
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  return seconds < 7_200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3_600).toFixed(1)} h`
}

const columns: ReadonlyArray<Column<IncidentView>> = [
  { title: "ENTITY", cell: ({ entity }) => entity },
  { title: "CAUSE", cell: ({ cause }) => cause },
  { title: "DETECTED", cell: ({ detectedAtMillis }) => instant(detectedAtMillis) },
  {
    title: "CONTAINED",
    align: "right",
    cell: ({ containedAtMillis, detectedAtMillis }) => span(detectedAtMillis, containedAtMillis),
  },
  {
    title: "RESTORED",
    align: "right",
    cell: ({ detectedAtMillis, restoredAtMillis }) => span(detectedAtMillis, restoredAtMillis),
    colour: ({ restoredAtMillis }) => restoredAtMillis === null ? "red" : undefined,
  },
  { title: "LAST", cell: ({ steps }) => (steps.at(-1)?.what ?? "").slice(0, 80) },
]

/** For people; durations count from the detection. */
export const renderIncidents = (
  page: { readonly items: ReadonlyArray<IncidentView>; readonly next: string | null },
  paint: Paint,
): string => pageLines(page, (items) => table(columns, items, paint), "No incidents.")

export const incidents = Command.make(
  "incidents",
  {
    entity: Flag.String("entity").pipe(Flag.withDescription("Of this legal entity only"), Flag.optional),
    open: Flag.Boolean("open").pipe(Flag.withDescription("Only those that are not over"), Flag.withDefault(false)),
    ...pageFlags,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ after, entity, json, limit, open }) {
    const query = { ...given({ after, entity, limit }), ...(open ? { open: "true" as const } : {}) }
    yield* show(json, yield* ask(({ api }) => api.incidents.list({ query })), renderIncidents)
  }),
).pipe(
  operation("incidents.list"),
  Command.withDescription("List incidents: detected, contained and restored, newest first"),
  Command.withExamples([{ command: "weir incidents --open", description: "what goes on now" }]),
)
