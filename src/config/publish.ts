/** Writes what is published about the configuration into `docs/`: `deno task schema`. */
import { writeFile } from "node:fs/promises"
import { published } from "./jsonSchema.ts"
import { page } from "./page.ts"

const docs = new URL("../../docs/", import.meta.url)
await writeFile(new URL("weir.schema.json", docs), published())
await writeFile(new URL("configuration.md", docs), page())
