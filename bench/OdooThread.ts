/**
 * The stand-in Odoo in a thread of its own: as in life, neither its time nor its garbage is Weir's. It answers at once;
 * what lies between is the copying of requests and answers from thread to thread.
 */
import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import { defaultKey, type Request, type Response, type StandInOptions, version } from "../fixtures/odoo/StandIn.ts"
import { classify } from "../src/odoo/classify.ts"
import { Odoo, OdooError } from "../src/odoo/Odoo.ts"

export type Question =
  /** A new stand-in, with what `StandIn.store.dump` gave. */
  | { readonly _tag: "fresh"; readonly options: StandInOptions; readonly state?: ReadonlyArray<string> }
  | { readonly _tag: "handle"; readonly request: Request }
  | { readonly _tag: "dump" }
  /** How many records a model has. */
  | { readonly _tag: "rows"; readonly model: string }
  /** Of the thread, since it began. */
  | { readonly _tag: "cpuSeconds" }

export interface Answer {
  readonly fresh: null
  readonly handle: Response
  readonly dump: ReadonlyArray<string>
  readonly rows: number
  readonly cpuSeconds: number
}

export interface Message {
  readonly id: number
  readonly question: Question
}

/** Starts the thread; it ends with the scope. A thread that fails is a defect of whoever asks. */
export const start = Effect.gen(function* () {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("./odooWorker.ts", import.meta.url))),
    (worker) => Effect.promise(() => worker.terminate()),
  )
  const waiting = new Map<number, { readonly resume: (effect: Effect.Effect<never>) => void }>()
  let last = 0
  worker.on("message", ({ answer, id }: { readonly id: number; readonly answer: never }) => {
    waiting.get(id)?.resume(Effect.succeed(answer))
    waiting.delete(id)
  })
  worker.on("error", (cause) => {
    for (const { resume } of waiting.values()) resume(Effect.die(cause))
    waiting.clear()
  })
  const ask = <T extends Question["_tag"]>(question: Extract<Question, { readonly _tag: T }>) =>
    Effect.callback<Answer[T]>((resume) => {
      const id = ++last
      waiting.set(id, { resume })
      worker.postMessage({ id, question } satisfies Message)
    })
  const odoo = Odoo.of({
    version: () => Effect.succeed(version),
    call: ({ args, context, ids, method, model }) => {
      const body = { ...args, ...(ids === undefined ? {} : { ids }), ...(context === undefined ? {} : { context }) }
      return Effect.flatMap(
        ask({ _tag: "handle", request: { model, method, key: defaultKey, body } }),
        (response) => {
          const result = classify(`${model}/${method}`, response)
          return result instanceof OdooError ? Effect.fail(result) : Effect.succeed(result)
        },
      )
    },
  })
  return { ask, odoo }
})

export type OdooThread = Effect.Success<typeof start>
