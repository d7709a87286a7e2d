/** Places where the running process is to end: each springs once, at the nth call of its kind. */
import type { Process } from "../kernel/Kernel.ts"
import { crashOf, type CrashPoint } from "../plan/Trouble.ts"
import type { Fate } from "./Network.ts"

interface Trap {
  readonly point: CrashPoint
  readonly lost: boolean
  readonly spring: () => void
  left: number
}

export class Traps {
  #set: Array<Trap> = []
  /** The process that may step into one. */
  readonly #prey: () => Process | undefined
  readonly #cover: (what: string) => void

  constructor(prey: () => Process | undefined, cover: (what: string) => void) {
    this.#prey = prey
    this.#cover = cover
  }

  add(point: CrashPoint, nth: number, lost: boolean, spring: () => void): void {
    this.#set.push({ point, lost, spring, left: nth })
  }

  clear(): void {
    this.#set = []
  }

  readonly fate: Fate = (process, operation) => {
    if (process !== this.#prey() || process.state !== "running") return "goes on"
    const trap = this.#set.find(({ point }) => point === operation)
    if (trap === undefined || --trap.left > 0) return "goes on"
    this.#set = this.#set.filter((other) => other !== trap)
    this.#cover(crashOf(trap.point, trap.lost))
    trap.spring()
    return trap.lost ? "ends, and it is lost" : "ends"
  }
}
