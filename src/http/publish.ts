/** Writes the API's document into `docs/`: `deno task openapi`. */
import { writeFile } from "node:fs/promises"
import { document } from "./document.ts"

await writeFile(new URL("../../docs/openapi.json", import.meta.url), document())
