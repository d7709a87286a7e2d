/** Where the pages take their examples from: `docs/events.md` and the flows' fixtures. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import type { Seen, Sources } from "./page.ts"

const root = new URL("../../", import.meta.url)

interface Expected {
  readonly exceptions?: ReadonlyArray<{ readonly flow: string; readonly code: string; readonly detail?: string }>
}

export const sources = (): Sources => {
  const events = readFileSync(new URL("docs/events.md", root), "utf8")
  const exampleOf = (type: string): unknown => {
    const [, section] = events.split(`## \`${type}\`\n`)
    const [, text] = (section?.split("\n## ")[0] ?? "").match(/```json\n([\s\S]*?)```/u) ?? []
    return text === undefined ? undefined : (JSON.parse(text) as { readonly data: unknown }).data
  }
  const folder = new URL("fixtures/flows/", root)
  const exceptions = new Map<string, Array<Seen>>()
  for (const name of readdirSync(folder).sort()) {
    const file = new URL(`${name}/expected.json`, folder)
    if (!existsSync(file)) continue
    for (const { code, detail, flow } of (JSON.parse(readFileSync(file, "utf8")) as Expected).exceptions ?? []) {
      const seen = exceptions.get(flow) ?? []
      if (!seen.some((one) => one.code === code)) seen.push({ code, detail: detail ?? "" })
      exceptions.set(flow, seen)
    }
  }
  return { exampleOf, exceptions }
}
