/** Mutation check of the simulation itself: each known bug, planted in a copy of the sources, must be found. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { runIn } from "../worker.ts"
import { type Mutant, mutants } from "./mutants.ts"

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..")
/** What the simulation needs of the repository. */
const copied = [
  "deno.json",
  "deno.lock",
  "package.json",
  "schemas",
  "src",
  "streams",
  "fixtures/generator",
  "fixtures/odoo",
  "test/simulation",
]

const infect = async (folder: string, { file, find, name, replace }: Mutant): Promise<void> => {
  const path = join(folder, file)
  const source = await readFile(path, "utf8")
  if (source.split(find).length !== 2) throw new Error(`mutant "${name}" does not fit ${file} any more: adapt it`)
  await writeFile(path, source.replace(find, () => replace))
}

/** Seeds until the mutant was found, or null, and what gave it away. */
const search = async (mutant: Mutant, most: number) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-mutant-"))
  try {
    for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true })
    await symlink(join(root, "node_modules"), join(folder, "node_modules"))
    await infect(folder, mutant)
    const options = { folder: join(folder, "test/simulation"), stopAtFailure: true }
    return await runIn({ from: 1, count: most }, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export interface Hunt {
  /** Seeds per mutant, at most. */
  readonly most: number
  /** Mutants at once. */
  readonly jobs: number
  /** Only those with this in their name. */
  readonly named: string
}

/** True when every mutant was found within `most` seeds. */
export const hunt = async ({ jobs, most, named }: Hunt, say: (line: string) => void): Promise<boolean> => {
  const hunted = mutants.filter(({ name }) => name.includes(named))
  if (hunted.length === 0) throw new Error(`no mutant has "${named}" in its name`)
  const waiting = hunted.values()
  let missed = 0
  const hunter = async (): Promise<void> => {
    for (const mutant of waiting) {
      const { failures: [failure], seeds } = await search(mutant, most)
      if (failure === undefined) missed++
      say(
        failure === undefined
          ? `NOT FOUND in ${seeds} seeds  ${mutant.name}`
          : `${String(seeds).padStart(5)} seeds  ${mutant.name}: ${failure.message.split("\n", 1)[0]!.slice(0, 120)}`,
      )
    }
  }
  await Promise.all(Array.from({ length: jobs }, hunter))
  say(missed === 0 ? `all ${hunted.length} bugs are found` : `${missed} of ${hunted.length} bugs are not found`)
  return missed === 0
}
