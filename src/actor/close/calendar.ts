/** When an entity closes its books by its calendar. Pure. */

export interface CloseCalendar {
  /** IANA name; days are those of this zone. */
  readonly timeZone: string
  /** Days of every month: 1 the first, -1 the last. */
  readonly days: ReadonlyArray<number>
  /** First and last day of a close, both in it, `YYYY-MM-DD`. */
  readonly ranges: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

/** One formatter a zone: making one costs more than using it a thousand times. */
const formatters = new Map<string, Intl.DateTimeFormat>()

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" })
  formatters.set(timeZone, made)
  return made
}

/** Whether there is such a zone. */
export const isTimeZone = (name: string): boolean => {
  try {
    formatterOf(name)
    return true
  } catch {
    return false
  }
}

/** The day on which a moment falls in a zone, `YYYY-MM-DD`. */
export const dayIn = (timeZone: string, atMillis: number): string => {
  const parts = new Map(formatterOf(timeZone).formatToParts(atMillis).map(({ type, value }) => [type, value]))
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`
}

const lengthOfMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

/** Whether the calendar has the entity in close at this moment. */
export const isInClose = ({ days, ranges, timeZone }: CloseCalendar, atMillis: number): boolean => {
  const today = dayIn(timeZone, atMillis)
  const [year = 0, month = 0, day = 0] = today.split("-").map(Number)
  const fromEnd = day - lengthOfMonth(year, month) - 1
  return days.some((each) => each === day || each === fromEnd) ||
    ranges.some(({ from, to }) => from <= today && today <= to)
}
