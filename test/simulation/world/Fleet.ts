/** The processes of Weir that run, stand still or have ended; at most one of them is meant to run. */
import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import type { Sharding } from "effect/cluster"
import { Random } from "../../../fixtures/generator/Random.ts"
import { LegalEntity } from "../../../src/actor/LegalEntity.ts"
import type { Settings } from "../../../src/config/Configuration.ts"
import { CallGate } from "../../../src/odoo/CallGate.ts"
import type { Flow } from "../../../src/flow/Flow.ts"
import { engine } from "../../../src/main.ts"
import { type Kernel, Process } from "../kernel/Kernel.ts"
import type { Network } from "./Network.ts"
import { watchLanes } from "./Lanes.ts"
import type { Observer } from "./Observer.ts"
import { type Outside, portsOf } from "./Ports.ts"

/** A shutdown that takes longer is killed, as every supervisor of processes does. */
const SHUTDOWN_MILLIS = 40_000
/** How often a person tries again when a process does not answer yet. */
const KNOCK_MILLIS = 500

export interface FleetOptions {
  readonly kernel: Kernel
  readonly outside: Outside
  readonly network: Network
  readonly observer: Observer
  /** Calls to Odoo at once, at most. */
  readonly places: number
  readonly settings: Settings
  readonly flows: ReadonlyArray<Flow>
  readonly seed: number
  readonly maxOpsBeforeYield: number
  readonly trace: (line: string) => void
}

interface Member {
  readonly process: Process
  readonly scope: Scope.Closeable
  context: Context.Context<Sharding.Sharding> | undefined
}

type Client = Effect.Success<typeof LegalEntity.client>

/** What a person tells an actor. */
export interface Order {
  readonly what: (actor: ReturnType<Client>) => Effect.Effect<unknown, unknown>
  /** False once the person has thought better of it. */
  readonly meant: () => boolean
  readonly answered: (success: boolean) => void
}

export class Fleet {
  readonly #options: FleetOptions
  readonly #members: Array<Member> = []
  #current: Member | undefined

  constructor(options: FleetOptions) {
    this.#options = options
  }

  get current(): Process | undefined {
    return this.#current?.process
  }

  start(): void {
    const { flows, kernel, maxOpsBeforeYield, network, observer, outside, places, seed, settings } = this.#options
    const name = `p${this.#members.length + 1}`
    const process = new Process(kernel, {
      name,
      numbers: new Random(seed, name),
      maxOpsBeforeYield,
      loggers: new Set([this.#logger(name)]),
    })
    const member: Member = { process, scope: Scope.makeUnsafe(), context: undefined }
    this.#members.push(member)
    this.#current = member
    this.#options.trace(`${name} starts`)
    const layer = Layer.provide(engine(settings, flows), portsOf(process, outside, network, observer))
    process.fork(Layer.buildWithScope(layer, member.scope), (exit) => {
      if (Exit.isSuccess(exit)) {
        member.context = exit.value
        watchLanes(Context.get(exit.value, CallGate), process, observer, places)
      } else if (member === this.#current) observer.report("start", `${name} does not start: ${exit.cause}`)
    })
  }

  /** Ends the current process at once; another one starts later. */
  kill(startAfterMillis: number): void {
    const member = this.#current
    if (member === undefined) return
    this.#end(member, "is killed")
    this.#succeed(member, startAfterMillis)
  }

  /** Shuts the current process down in order. */
  stop(startAfterMillis: number): void {
    const member = this.#current
    if (member === undefined) return
    this.#options.trace(`${member.process.name} shuts down`)
    const done = () => {
      if (member.process.state === "dead") return
      this.#end(member, "has shut down")
      this.#succeed(member, startAfterMillis)
    }
    member.process.fork(Scope.close(member.scope, Exit.void), done)
    this.#options.kernel.after(SHUTDOWN_MILLIS, done)
  }

  /** The current process stands still, its successor starts, and then both go on until the older one ends. */
  pause(forMillis: number, livesOnMillis: number): void {
    const member = this.#current
    if (member === undefined) return
    const { kernel, trace } = this.#options
    trace(`${member.process.name} stands still`)
    member.process.freeze()
    kernel.after(300, () => this.#current === member && this.start())
    kernel.after(forMillis, () => {
      trace(`${member.process.name} goes on`)
      member.process.thaw()
    })
    kernel.after(forMillis + livesOnMillis, () => this.#retire(member))
  }

  /** A second process starts beside the current one, which ends later. */
  rival(livesOnMillis: number): void {
    const member = this.#current
    if (member === undefined) return
    this.start()
    this.#options.kernel.after(livesOnMillis, () => this.#retire(member))
  }

  /** From now on exactly one process runs, with the right time. */
  cure(): void {
    for (const member of this.#members) if (member !== this.#current) this.#end(member, "ends")
    const current = this.#current
    if (current === undefined || current.process.state === "dead") return this.start()
    current.process.thaw()
    current.process.offsetMillis = 0
  }

  /** Tells the current process's actor of `entity` something, as soon as there is one that listens and it is still meant. */
  tell(entity: string, { answered, meant, what }: Order): void {
    const { kernel, observer, trace } = this.#options
    const member = this.#current
    if (!meant()) return
    if (member?.context === undefined || member.process.state !== "running") {
      kernel.after(KNOCK_MILLIS, () => this.tell(entity, { answered, meant, what }))
      return
    }
    const told = Effect.flatMap(LegalEntity.client, (client) => what(client(entity)))
    member.process.fork(Effect.scoped(Effect.provideContext(told, member.context)), (exit) => {
      const answer = Exit.isSuccess(exit) ? "answers" : "does not answer"
      observer.cover(`control ${answer}`)
      trace(`${member.process.name} ${entity} ${answer}`)
      answered(Exit.isSuccess(exit))
    })
  }

  /** Notes the states that the actors are in. */
  look(): void {
    const { observer, settings } = this.#options
    const member = this.#current
    if (member?.context === undefined || member.process.state !== "running") return
    for (const entity of Object.keys(settings.entities)) {
      const asked = Effect.flatMap(LegalEntity.client, (client) => client(entity).Status())
      member.process.fork(Effect.scoped(Effect.provideContext(asked, member.context)), (exit) => {
        if (Exit.isFailure(exit)) return
        const { circuits, flows, mode, state } = exit.value
        observer.cover(`entity ${state}`)
        observer.cover(`mode ${mode}`)
        for (const circuit of circuits) observer.cover(`circuit ${circuit.dependency} ${circuit.state}`)
        for (const flow of flows) observer.cover(`flow ${flow.state}`)
      })
    }
  }

  #retire(member: Member): void {
    if (member === this.#current) return
    this.#end(member, "ends")
  }

  #end(member: Member, how: string): void {
    if (member.process.state === "dead") return
    this.#options.trace(`${member.process.name} ${how}`)
    member.process.kill()
  }

  /** Starts the next process unless somebody else has taken over meanwhile. */
  #succeed(member: Member, afterMillis: number): void {
    this.#options.kernel.after(afterMillis, () => this.#current === member && this.start())
  }

  /** What a process says goes into the trace; the beginnings of warnings are states that a seed has visited. */
  #logger(name: string): Logger.Logger<unknown, void> {
    const { observer, trace } = this.#options
    return Logger.make(({ logLevel, message }) => {
      const [first] = Array.isArray(message) ? message as ReadonlyArray<unknown> : [message]
      trace(`${name} says ${logLevel}: ${String(first).slice(0, 160)}`)
      if (logLevel === "Warn" || logLevel === "Error") {
        observer.cover(`says ${String(first).replaceAll(/[\d"].*/gu, "").trim().slice(0, 60)}`)
      }
    })
  }
}
