/**
 * Virtual time for several simulated processes in one thread. Every fiber of a process runs on the process's own
 * scheduler and clock, both kept here, so that a process can stop like a real one:
 *
 *     running ──kill──► dead       nothing of it ever runs again: no finalizer, no answer, no timer (kill -9)
 *        │ ▲
 *  freeze│ │thaw                   everything that became due meanwhile runs late (a paused machine, a stale owner)
 *        ▼ │
 *      frozen
 *
 * One queue, one heap of timers, no promise and no timer of the machine: the same inputs give the same steps.
 */
import { Clock, Context, Duration, Effect, type Exit, type Fiber, Random, References, Scheduler } from "effect"
import type { Logger } from "effect"
import type { Random as Numbers } from "../../../fixtures/generator/Random.ts"
import { Timers } from "./Timers.ts"

/** Tasks at one virtual instant above which nobody is waiting for anything any more: a busy loop. */
const MAX_TASKS_AT_ONCE = 400_000

/** Nothing moves although something is always runnable. */
export class Livelock extends Error {}

export interface ProcessOptions {
  readonly name: string
  readonly numbers: Numbers
  readonly loggers: ReadonlySet<Logger.Logger<unknown, unknown>>
  /** Operations that a fiber may make before others get their turn: small numbers find more interleavings. */
  readonly maxOpsBeforeYield: number
}

export class Kernel {
  /** Unix milliseconds of the world's clock. */
  nowMillis: number
  #tasks: Array<() => void> = []
  #head = 0
  #timers = new Timers()
  /** The first error that escaped a task: a defect of the simulation. */
  #crash: { readonly error: unknown } | undefined
  tasks = 0

  constructor(startMillis: number) {
    this.nowMillis = startMillis
  }

  /** Runs `task` at this very instant, after what is due already. */
  enqueue(task: () => void): void {
    this.#tasks.push(task)
  }

  after(millis: number, task: () => void): () => void {
    return this.#timers.add(this.nowMillis + Math.max(0, millis), task)
  }

  /** Everything up to and including `untilMillis` happens. */
  run(untilMillis: number): void {
    for (;;) {
      this.#drain()
      const timer = this.#timers.next(untilMillis)
      if (timer === undefined) break
      this.nowMillis = Math.max(this.nowMillis, timer.atMillis)
      timer.task()
    }
    this.nowMillis = Math.max(this.nowMillis, untilMillis)
  }

  #drain(): void {
    let count = 0
    while (this.#head < this.#tasks.length) {
      if (++count > MAX_TASKS_AT_ONCE) throw new Livelock(`${count} tasks without a moment passing`)
      this.#tasks[this.#head++]!()
      if (this.#crash !== undefined) throw this.#crash.error
      if (this.#head > 1_024 && this.#head * 2 > this.#tasks.length) {
        this.#tasks = this.#tasks.slice(this.#head)
        this.#head = 0
      }
    }
    this.tasks += count
    this.#tasks.length = 0
    this.#head = 0
  }
}

export class Process {
  readonly name: string
  readonly kernel: Kernel
  readonly context: Context.Context<never>
  readonly #stashed: Array<() => void> = []
  #state: "running" | "frozen" | "dead" = "running"
  /** What its wall clock is off by, in milliseconds: clock jumps. */
  offsetMillis = 0

  constructor(kernel: Kernel, options: ProcessOptions) {
    this.kernel = kernel
    this.name = options.name
    const { numbers } = options
    this.context = Context.empty().pipe(
      Context.add(Scheduler.Scheduler, this.#scheduler()),
      Context.add(Scheduler.MaxOpsBeforeYield, options.maxOpsBeforeYield),
      Context.add(Clock.Clock, this.#clock()),
      Context.add(References.CurrentLoggers, options.loggers),
      Context.add(Random.Random, {
        nextIntUnsafe: () => numbers.bits(),
        nextDoubleUnsafe: () => numbers.bits() / 2 ** 32,
      }),
    )
  }

  get state(): "running" | "frozen" | "dead" {
    return this.#state
  }

  /** Runs `task` in the process: now, after its thaw, or never. */
  post(task: () => void): void {
    if (this.#state === "dead") return
    this.kernel.enqueue(() => this.#run(task))
  }

  fork<A, E>(effect: Effect.Effect<A, E>, onExit?: (exit: Exit.Exit<A, E>) => void): Fiber.Fiber<A, E> {
    const fiber = Effect.runForkWith(this.context)(effect)
    if (onExit !== undefined) fiber.addObserver(onExit)
    return fiber
  }

  kill(): void {
    this.#state = "dead"
    this.#stashed.length = 0
  }

  freeze(): void {
    if (this.#state === "running") this.#state = "frozen"
  }

  thaw(): void {
    if (this.#state !== "frozen") return
    this.#state = "running"
    for (const task of this.#stashed.splice(0)) this.post(task)
  }

  #run(task: () => void): void {
    if (this.#state === "running") task()
    else if (this.#state === "frozen") this.#stashed.push(task)
  }

  #scheduler(): Scheduler.Scheduler {
    const standard = new Scheduler.MixedScheduler("sync")
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.post(task),
      flush: () => {},
    }
    return {
      executionMode: "async",
      shouldYield: (fiber) => standard.shouldYield(fiber),
      makeDispatcher: () => dispatcher,
    }
  }

  #clock(): Clock.Clock {
    const millis = () => this.kernel.nowMillis + this.offsetMillis
    const nanos = (at: number) => BigInt(Math.floor(at)) * 1_000_000n
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: () => nanos(millis()),
      currentTimeNanos: Effect.sync(() => nanos(millis())),
      monotonicTimeNanosUnsafe: () => nanos(this.kernel.nowMillis),
      monotonicTimeNanos: Effect.sync(() => nanos(this.kernel.nowMillis)),
      sleep: (duration) => {
        const length = Duration.toMillis(duration)
        if (length === Infinity) return Effect.never
        return Effect.callback<void>((resume) => {
          const cancel = this.kernel.after(length, () => this.post(() => resume(Effect.void)))
          return Effect.sync(cancel)
        })
      },
    }
  }
}
