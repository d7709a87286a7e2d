/** Runs a range of seeds in a process of its own and answers with its campaign. */
import { spawn } from "node:child_process"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { Campaign, Range } from "./campaign.ts"

const here = dirname(fileURLToPath(import.meta.url))

/** Worlds are thrown away young: room for a whole one spares a fifth of the time. Megabytes; `deno task sim` says the same. */
const YOUNG = ["--min-semi-space-size=32", "--max-semi-space-size=32"]

export interface RunOptions {
  /** Folder of the simulation to run: this one, or that of a copy with a bug in it. */
  readonly folder?: string
  readonly stopAtFailure?: boolean
}

export const runIn = ({ count, from }: Range, { folder = here, stopAtFailure = false }: RunOptions = {}) =>
  new Promise<Campaign>((resolve, reject) => {
    const flags = ["--worker", "--from", String(from), "--seeds", String(count), ...stopAtFailure ? ["--first"] : []]
    // Types are checked elsewhere; a copy with a bug in it may not even have them right.
    const run = "Deno" in globalThis ? ["run", "-A", "--no-check", `--v8-flags=${YOUNG.join(",")}`] : YOUNG
    const child = spawn(process.execPath, [...run, join(folder, "sim.ts"), ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const decoder = new TextDecoder()
    let output = ""
    child.stdout.on("data", (chunk: Uint8Array) => output += decoder.decode(chunk, { stream: true }))
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`the simulation of seeds ${from} to ${from + count - 1} ended with ${code}`))
    })
  })
