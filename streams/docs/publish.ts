/** Writes `docs/flows/`: `deno task flows`. */
import { mkdirSync, writeFileSync } from "node:fs"
import { catalog } from "../catalog.ts"
import { page } from "./page.ts"
import { sources } from "./sources.ts"

const folder = new URL("../../docs/flows/", import.meta.url)
const from = sources()
mkdirSync(folder, { recursive: true })
for (const flow of catalog) writeFileSync(new URL(`${flow.name}.md`, folder), page(flow, from))
