/**
 * Keeps fibers from carrying Node's async context through every pause: nothing in a simulated world reads it, and it
 * costs a tenth of a seed. Effect looks for it once, when it is loaded, so this is imported before anything else.
 */
import process from "node:process"

const builtin = process.getBuiltinModule
process.getBuiltinModule = ((name: string) => name === "node:async_hooks" ? undefined : builtin(name)) as typeof builtin
