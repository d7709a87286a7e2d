/** Tells whether two payloads say the same, whatever the order of their fields. */
import { createHash } from "node:crypto"

/** What a JSON string may not hold as it is, and all that need not be looked at more closely. */
const UNPLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

const quoted = (text: string): string => UNPLAIN.test(text) ? JSON.stringify(text) : `"${text}"`

/** Canonical JSON: object fields sorted by name, no spaces (RFC 8785 for the values that events may hold). */
const canonical = (value: unknown): string => {
  if (typeof value === "string") return quoted(value)
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = value as { readonly [name: string]: unknown }
  let text = ""
  for (const name of Object.keys(fields).sort()) {
    text += `${text === "" ? "" : ","}${quoted(name)}:${canonical(fields[name])}`
  }
  return `{${text}}`
}

/** The first 32 hex digits of the SHA-256 of the canonical JSON of `payload`. */
export const fingerprint = (payload: unknown): string => digest(canonical(payload))

/** The same for bytes that are no JSON. */
export const digest = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, 32)
