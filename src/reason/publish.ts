/** Writes the list of exceptions into `docs/`: `deno task exceptions`. */
import { writeFile } from "node:fs/promises"
import { page } from "./page.ts"

await writeFile(new URL("../../docs/exceptions.md", import.meta.url), page())
