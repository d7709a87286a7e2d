/** One diagram over time, as inline SVG: no script, no library. All diagrams of a page share their axis of time. */
import { clock, decades, escape, moments, ticks } from "./scale.ts"

export type Tone = "critical" | "normal" | "bulk" | "backfill" | "in" | "out" | "ink" | "soft" | "limit"

export interface Line {
  readonly name: string
  readonly tone: Tone
  /** `line` from point to point, `step` level until the next one, `area` filled down to `base` or zero, `dots`. */
  readonly shape: "line" | "step" | "area" | "dots"
  readonly dashed?: boolean
  /** By moment; null: nothing is known, the line breaks. */
  readonly points: ReadonlyArray<readonly [millis: number, value: number | null]>
  /** Lower edge of an area, by the same moments. Default: zero. */
  readonly base?: ReadonlyArray<number>
}

export interface Band {
  readonly fromMillis: number
  readonly untilMillis: number
  readonly what: string
  readonly kind: "fault" | "incident"
}

export interface Plot {
  readonly title: string
  /** What is counted and how, in a few words. */
  readonly about: string
  readonly lines: ReadonlyArray<Line>
  /** How values are written. */
  readonly format: (value: number) => string
  readonly logarithmic?: boolean
  /** The axis reaches at least so far. */
  readonly atLeast?: number
  /** A level to stay below. */
  readonly level?: { readonly value: number; readonly name: string }
}

export interface Frame {
  readonly millis: number
  readonly bands: ReadonlyArray<Band>
  /** Names of the bands are written above this one. */
  readonly named: boolean
}

const WIDTH = 960
const HEIGHT = 190
const LEFT = 56
const RIGHT = 12
const TOP = 20
const BOTTOM = 24
/** Columns that tell their values under the pointer. */
const COLUMNS = 120

const INNER = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM }

/** One decimal is more than any screen shows. */
const at = (value: number): string => value.toFixed(1).replace(/\.0$/u, "")

interface Scales {
  readonly x: (millis: number) => number
  readonly y: (value: number) => number
  readonly marks: ReadonlyArray<number>
}

const known = (lines: ReadonlyArray<Line>): ReadonlyArray<number> =>
  lines.flatMap(({ points }) => points.flatMap(([, value]) => value === null ? [] : [value]))

const scalesOf = ({ atLeast = 0, level, lines, logarithmic }: Plot, { millis }: Frame): Scales => {
  const values = known(lines)
  const max = values.reduce((most, value) => Math.max(most, value), Math.max(atLeast, level?.value ?? 0))
  const x = (moment: number): number => LEFT + Math.min(1, Math.max(0, moment / Math.max(1, millis))) * INNER.width
  if (logarithmic === true) {
    const min = values.filter((value) => value > 0).reduce((least, value) => Math.min(least, value), max)
    const marks = decades(Math.max(1, min), Math.max(10, max))
    const [low, high] = [Math.log(marks[0]!), Math.log(marks.at(-1)!)]
    const y = (value: number): number =>
      TOP + (1 - (Math.log(Math.max(value, marks[0]!)) - low) / (high - low)) * INNER.height
    return { x, y, marks }
  }
  const marks = ticks(max)
  const top = marks.at(-1)!
  return { x, y: (value) => TOP + (1 - Math.min(value, top) / top) * INNER.height, marks }
}

/** Stretches of a line in which everything is known. */
const stretches = ({ points }: Line): ReadonlyArray<ReadonlyArray<readonly [number, number, number]>> => {
  const found: Array<Array<readonly [number, number, number]>> = []
  let open: Array<readonly [number, number, number]> | undefined
  for (const [index, [millis, value]] of points.entries()) {
    if (value === null) {
      open = undefined
      continue
    }
    if (open === undefined) found.push(open = [])
    open.push([millis, value, index])
  }
  return found
}

const path = (line: Line, { x, y }: Scales): string =>
  stretches(line).map((stretch) =>
    stretch.map(([millis, value], index) => {
      const [px, py] = [at(x(millis)), at(y(value))]
      // A point alone is a dot: the line has round ends.
      if (index === 0) return `M${px} ${py}h0`
      return line.shape === "step" ? `H${px}V${py}` : `L${px} ${py}`
    }).join("")
  ).join("")

const area = (line: Line, { x, y }: Scales): string =>
  stretches(line).map((stretch) => {
    const upper = stretch.map(([millis, value]) => `${at(x(millis))} ${at(y(value))}`)
    const lower = stretch.toReversed().map(([millis, , index]) => `${at(x(millis))} ${at(y(line.base?.[index] ?? 0))}`)
    return `M${upper.join("L")}L${lower.join("L")}Z`
  }).join("")

const drawn = (line: Line, scales: Scales): string => {
  if (line.shape === "dots") {
    return line.points.map(([millis, value]) =>
      value === null
        ? ""
        : `<circle class="dot ${line.tone}" cx="${at(scales.x(millis))}" cy="${at(scales.y(value))}" r="2"/>`
    ).join("")
  }
  if (line.shape === "area") return `<path class="area ${line.tone}" d="${area(line, scales)}"/>`
  return `<path class="line ${line.tone}${line.dashed === true ? " dashed" : ""}" d="${path(line, scales)}"/>`
}

const grid = ({ format }: Plot, { x, y, marks }: Scales, { millis }: Frame): string =>
  [
    ...marks.map((mark) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(mark))}" y2="${at(y(mark))}"/>` +
      `<text class="mark" x="${LEFT - 8}" y="${at(y(mark) + 3.5)}" text-anchor="end">${escape(format(mark))}</text>`
    ),
    ...moments(millis).map((moment) =>
      `<text class="mark" x="${at(x(moment))}" y="${HEIGHT - 6}" text-anchor="middle">${clock(moment)}</text>`
    ),
  ].join("")

/** Height of an incident's strip above the diagram's floor. */
const STRIP = 4

/** A fault fills the diagram, an incident is a strip below it: there may be one for every entity. */
const bands = ({ bands, named }: Frame, { x }: Scales): string =>
  bands.map(({ fromMillis, kind, untilMillis, what }) => {
    const width = at(Math.max(2, x(untilMillis) - x(fromMillis)))
    const [top, height] = kind === "fault" ? [TOP, INNER.height] : [TOP + INNER.height, STRIP]
    const name = named && kind === "fault"
      ? `<text class="name" x="${at(x(fromMillis) + 3)}" y="${TOP - 6}">${escape(what)}</text>`
      : ""
    return `<rect class="${kind}" x="${at(x(fromMillis))}" y="${top}" width="${width}" height="${height}">` +
      `<title>${escape(what)}</title></rect>${name}`
  }).join("")

/** The last known value of a line at a moment. */
const valueAt = ({ points }: Line, millis: number): number | null => {
  let found: number | null = null
  for (const [moment, value] of points) {
    if (moment > millis) break
    found = value
  }
  return found
}

/** Invisible columns; the one under the pointer shows a rule and tells its values. */
const columns = ({ format, lines }: Plot, { x }: Scales, { millis }: Frame): string => {
  const width = INNER.width / COLUMNS
  return Array.from({ length: COLUMNS }, (_, index) => {
    const moment = (index + 0.5) * millis / COLUMNS
    const values = lines.flatMap((line) => {
      const value = valueAt(line, moment)
      return value === null ? [] : [`${line.name}: ${format(value)}`]
    })
    const title = escape([clock(moment), ...values].join("\n"))
    return `<g class="hit"><rect x="${at(x(moment) - width / 2)}" y="${TOP}" width="${
      at(width)
    }" height="${INNER.height}"/>` +
      `<line x1="${at(x(moment))}" x2="${at(x(moment))}" y1="${TOP}" y2="${
        TOP + INNER.height
      }"/><title>${title}</title></g>`
  }).join("")
}

const legend = ({ level, lines }: Plot): string =>
  [
    ...lines.map(({ dashed, name, shape, tone }) =>
      `<span class="key"><i class="${tone} ${shape}${dashed === true ? " dashed" : ""}"></i>${escape(name)}</span>`
    ),
    ...level === undefined ? [] : [`<span class="key"><i class="limit dashed"></i>${escape(level.name)}</span>`],
  ].join("")

/** The diagram with its title and legend. */
export const render = (plot: Plot, frame: Frame): string => {
  const scales = scalesOf(plot, frame)
  const level = plot.level === undefined
    ? ""
    : `<line class="line limit dashed" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(scales.y(plot.level.value))}" ` +
      `y2="${at(scales.y(plot.level.value))}"/>`
  return `<figure>
<figcaption><b>${escape(plot.title)}</b><span>${escape(plot.about)}</span><span class="keys">${
    legend(plot)
  }</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(`${plot.title}: ${plot.about}`)}">
${bands(frame, scales)}${grid(plot, scales, frame)}${plot.lines.map((line) => drawn(line, scales)).join("")}${level}
${columns(plot, scales, frame)}
</svg>
</figure>`
}
