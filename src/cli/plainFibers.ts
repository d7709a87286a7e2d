/**
 * To be imported before anything of `effect`, by every program that stays.
 *
 * Effect makes an `AsyncResource` whenever a fiber waits, so that `AsyncLocalStorage` has its values after that. Weir keeps
 * nothing there: what belongs to a fiber is in Effect's own context. And on Deno (2.8 and later) each resource holds the one
 * that ran when it was made: a fiber that never ends, as every pump, holds all it ever had. Memory grows, and the collector
 * of garbage walks that chain, entry by entry, with the world stopped (docs/decisions/0006-plain-fibers.md).
 *
 * Effect asks for the class once, when it is loaded, and does without where there is none.
 */
import process from "node:process"

const { getBuiltinModule } = process
const withoutHooks = (name: string) => name === "node:async_hooks" ? undefined : getBuiltinModule(name)

Object.assign(process, { getBuiltinModule: withoutHooks })
await import("effect/Effect")
Object.assign(process, { getBuiltinModule })
