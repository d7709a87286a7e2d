/** `340 ms`, `2.15 s`, `75 s`: to three digits, for tables. */
export const duration = (millis: number | null): string => {
  if (millis === null) return "-"
  if (millis < 1_000) return `${Math.round(millis)} ms`
  return `${(millis / 1_000).toFixed(millis < 10_000 ? 2 : millis < 100_000 ? 1 : 0)} s`
}
