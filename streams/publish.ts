/**
 * Writes `schemas/published/` and `docs/asyncapi.json`: `deno task events`. Refuses a schema that no longer takes what its
 * version took when it was published: that is a new version, with an upcaster.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import process from "node:process"
import { catalog } from "./catalog.ts"
import { incompatibilities } from "./compatible.ts"
import { asyncApi, payloadSchemas } from "./published.ts"

const folder = new URL("../schemas/published/", import.meta.url)
await mkdir(folder, { recursive: true })
const schemas = payloadSchemas(catalog)
const refused: Array<string> = []
for (const [name, text] of schemas) {
  const before = await readFile(new URL(name, folder), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })
  if (before === undefined) continue
  refused.push(...incompatibilities(JSON.parse(before), JSON.parse(text)).map((issue) => `${name}: ${issue}`))
}
if (refused.length > 0) {
  console.error(`${refused.join("\n")}\nNothing was written. Raise the event's version and give it an upcaster.`)
  process.exit(1)
}
for (const [name, text] of schemas) await writeFile(new URL(name, folder), text)
await writeFile(new URL("../docs/asyncapi.json", import.meta.url), asyncApi(catalog))
