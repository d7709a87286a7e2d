/** What can go wrong, as the matrix tries it. The faults themselves: `outages.ts`, `answers.ts`, `messages.ts`. */
import type { Duration, Effect, Scope } from "effect"
import type { Message } from "../../../fixtures/generator/Message.ts"
import type { Random } from "../../../fixtures/generator/Random.ts"
import type { Installation } from "../Installation.ts"
import type { Program } from "../../../src/cli/lab/Program.ts"
import type { Telling } from "../Stories.ts"

export interface Strike {
  readonly at: Installation
  readonly random: Random
  /** The running Weir; a fault that ends it leaves the next one here. */
  weir: Program
  /** Another Weir beside it, where a fault begins with one. */
  second: Program | null
  /** How long a server stays away or frozen. */
  readonly away: Duration.Input
  /** One blow where several fall otherwise. */
  readonly brief: boolean
  /** Waits until this part of the fault's events is settled. */
  readonly progress: (part: number) => Effect.Effect<number>
  /** Whether less than this part of them is settled. */
  readonly before: (part: number) => Effect.Effect<boolean>
}

export interface Fault {
  /** For `--only` and the table. */
  readonly name: string
  /** What is done, for the reader of the table. */
  readonly what: string
  /** Changes what is published. */
  readonly arrange?: (messages: ReadonlyArray<Message>, random: Random) => ReadonlyArray<Message>
  /** The same for the stories. */
  readonly telling?: Telling
  /** How long Weir waits for an answer of Odoo. */
  readonly odooTimeout?: Duration.Input
  /** What must be there before there is work for it. */
  readonly prepare?: (strike: Strike) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Does it while Weir works and answers how often, once it is over. Left out where the input is the fault.
   */
  readonly strike?: (strike: Strike) => Effect.Effect<number, never, Scope.Scope>
}
