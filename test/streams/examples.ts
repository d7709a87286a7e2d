/** The examples of `docs/events.md`, one per event type, as publishers would send them. */
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { Envelope } from "../../schemas/envelope.ts"

export const page = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8")

/** Text of the section that documents an event type. */
export const sectionOf = (type: string): string => {
  const [, section] = page.split(`## \`${type}\`\n`)
  if (section === undefined) throw new Error(`docs/events.md has no section ${type}`)
  return section.split("\n## ")[0] ?? ""
}

export const exampleOf = (type: string): Envelope => {
  const [, text = ""] = sectionOf(type).match(/```json\n([\s\S]*?)```/u) ?? []
  return Schema.decodeUnknownSync(Envelope)(JSON.parse(text))
}
