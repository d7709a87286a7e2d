/** Where the pages take their examples from: `docs/events.md` and the flows' fixtures. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { catalog } from "../catalog.ts"
import type { Seen, Sources } from "./page.ts"

const root = new URL("../../", import.meta.url)

interface Expected {
  readonly exceptions?: ReadonlyArray<{ readonly flow: string; readonly code: string; readonly detail?: string }>
}

/** As much of a fixture's line as is looked at. */
interface Line {
  readonly subject?: string
  readonly case?: string | ReadonlyArray<string>
  readonly envelope?: { readonly id: string }
}

interface Cases {
  readonly cases: ReadonlyArray<string>
  readonly impossible: Readonly<Record<string, Readonly<Record<string, string>>>>
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
  /** Events that show a case, by flow and case. */
  const shown = new Map<string, Array<string>>()
  for (const name of readdirSync(folder).sort()) {
    const file = new URL(`${name}/expected.json`, folder)
    if (!existsSync(file)) continue
    for (const { code, detail, flow } of (JSON.parse(readFileSync(file, "utf8")) as Expected).exceptions ?? []) {
      const seen = exceptions.get(flow) ?? []
      if (!seen.some((one) => one.code === code)) seen.push({ code, detail: detail ?? "" })
      exceptions.set(flow, seen)
    }
    for (const text of readFileSync(new URL(`${name}/events.ndjson`, folder), "utf8").trimEnd().split("\n")) {
      const { case: own = [], envelope, subject = "" } = JSON.parse(text) as Line
      const flow = catalog.find(({ domain }) => domain === subject.split(".")[2])?.name
      for (const one of [own].flat()) {
        shown.set(`${flow}/${one}`, [...shown.get(`${flow}/${one}`) ?? [], `\`${envelope?.id}\` in \`${name}\``])
      }
    }
  }
  const { cases, impossible } = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8")) as Cases
  const casesOf = (flow: string) =>
    cases.map((one): readonly [string, string] => [
      one,
      shown.get(`${flow}/${one}`)?.join(", ") ?? `cannot happen: ${impossible[flow]?.[one]}`,
    ])
  return { exampleOf, exceptions, casesOf }
}
