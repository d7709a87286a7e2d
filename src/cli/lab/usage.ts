/** What a process uses, read from `/proc`: on Linux only, elsewhere nothing is known. */
import { readFileSync } from "node:fs"

/** `USER_HZ` of every Linux that this runs on. */
const TICKS_PER_SECOND = 100
/** Fields of `/proc/<pid>/stat` behind the command's name, which may hold blanks. */
const USER_TIME = 11
const SYSTEM_TIME = 12

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return null
  }
}

/** Processor seconds of the process so far; null when it is gone or unknown. */
export const cpuSeconds = (pid: number): number | null => {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) / TICKS_PER_SECOND
}

/** Resident memory in MiB; null when the process is gone or unknown. */
export const residentMiB = (pid: number): number | null => {
  const found = /^VmRSS:\s+(\d+) kB/mu.exec(read(`/proc/${pid}/status`) ?? "")
  return found === null ? null : Number(found[1]) / 1024
}
