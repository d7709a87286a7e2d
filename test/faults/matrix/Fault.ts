/** What can go wrong, as the matrix tries it. The faults themselves: `outages.ts`, `answers.ts`, `messages.ts`. */
import type { Duration, Effect, Scope } from "effect"
import type { Message } from "../../../fixtures/generator/Message.ts"
import type { Random } from "../../../fixtures/generator/Random.ts"
import type { Installation } from "../Installation.ts"
import type { Program } from "../../../src/cli/lab/Program.ts"

export interface Strike {
  readonly at: Installation
  readonly random: Random
  /** The running Weir; a fault that ends it leaves the next one here. */
  weir: Program
  /** How long a server stays away or frozen. */
  readonly away: Duration.Input
  /** Waits until this part of all events is settled. */
  readonly progress: (part: number) => Effect.Effect<number>
}

export interface Fault {
  /** For `--only` and the table. */
  readonly name: string
  /** What is done, for the reader of the table. */
  readonly what: string
  /** Changes what is published. */
  readonly arrange?: (messages: ReadonlyArray<Message>, random: Random) => ReadonlyArray<Message>
  /** How long Weir waits for an answer of Odoo. */
  readonly odooTimeout?: Duration.Input
  /**
   * Does it while Weir works and answers how often, once it is over. Left out where the input is the fault.
   */
  readonly strike?: (strike: Strike) => Effect.Effect<number, never, Scope.Scope>
}
