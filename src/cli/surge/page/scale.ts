/** Axes: round numbers, and how they are written. */

/** `12`, `1.2k`, `3.4M`. */
export const count = (value: number): string => {
  const size = Math.abs(value)
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`
  return size >= 1e3 ? `${trimmed(value / 1e3)}k` : trimmed(value)
}

const trimmed = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 1 : 0).replace(/\.0$/u, "")

/** `40 ms`, `2.5 s`, `3 min`, `2 h`. */
export const time = (millis: number): string => {
  if (millis < 1_000) return `${trimmed(millis)} ms`
  if (millis < 60_000) return `${trimmed(millis / 1_000)} s`
  return millis < 3_600_000 ? `${trimmed(millis / 60_000)} min` : `${trimmed(millis / 3_600_000)} h`
}

/** `0:05`, `1:02:30`: a moment on the axis of time. */
export const clock = (millis: number): string => {
  const seconds = Math.round(millis / 1_000)
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (part: number): string => String(part).padStart(2, "0")
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

const STEPS = [1, 2, 5, 10]
const TIMES = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400]

/** From 0 to `max` or a little beyond, about `wanted` of them. */
export const ticks = (max: number, wanted = 4): ReadonlyArray<number> => {
  if (!(max > 0)) return [0, 1]
  const rough = max / wanted
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = (STEPS.find((factor) => factor * magnitude >= rough) ?? 10) * magnitude
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, index) => index * step)
}

/** Moments up to `millis`, about `wanted` of them, at whole seconds, minutes or hours. */
export const moments = (millis: number, wanted = 8): ReadonlyArray<number> => {
  const step = (TIMES.find((seconds) => millis / 1_000 / seconds <= wanted) ?? 86_400) * 1_000
  return Array.from({ length: Math.floor(millis / step) + 1 }, (_, index) => index * step)
}

const MARKS = [1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000]

/** For a logarithmic axis of milliseconds: the marks around what is shown. */
export const decades = (min: number, max: number): ReadonlyArray<number> => {
  const first = Math.max(0, MARKS.findLastIndex((mark) => mark <= min))
  const last = MARKS.findIndex((mark) => mark >= max)
  return MARKS.slice(first, (last < 0 ? MARKS.length - 1 : Math.max(last, first + 1)) + 1)
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Text for HTML and SVG, attributes included. */
export const escape = (text: string): string => text.replaceAll(/[&<>"]/gu, (character) => entities[character] ?? "")
