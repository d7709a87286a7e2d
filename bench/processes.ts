/** What processes use, read from `/proc` (Linux): CPU time and resident memory. */
import { readdirSync, readFileSync } from "node:fs"

/** `USER_HZ` of every Linux that this runs on. */
const TICKS_PER_SECOND = 100

/** Fields of `/proc/<pid>/stat` after the command, whose name may hold blanks; undefined when the process is gone. */
const stat = (pid: number | string): ReadonlyArray<string> | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

const PARENT = 1
const USER_TIME = 11
const CHILDREN_SYSTEM_TIME = 14

const own = (fields: ReadonlyArray<string>, to: number): number =>
  fields.slice(USER_TIME, to + 1).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND

/** CPU seconds of a process, its ended children and its living direct ones (PostgreSQL's backends). */
export const cpuSeconds = (pid: number): number => {
  const fields = stat(pid)
  if (fields === undefined) return 0
  let seconds = own(fields, CHILDREN_SYSTEM_TIME)
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/u.test(name)) continue
    const child = stat(name)
    if (child?.[PARENT] === String(pid)) seconds += own(child, USER_TIME + 1)
  }
  return seconds
}

/** CPU seconds of this process alone. */
export const ownCpuSeconds = (): number => own(stat("self") ?? [], USER_TIME + 1)

/** CPU seconds of the thread that asks. */
export const threadCpuSeconds = (): number => own(stat("thread-self") ?? [], USER_TIME + 1)

/** Resident memory in MiB; 0 when the process is gone. */
export const residentMiB = (pid: number): number => {
  try {
    const found = /^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return Number(found?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Runnable processes, mean of the last minute: more than the processors means that figures are noisy. */
export const load = (): number => Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0])
