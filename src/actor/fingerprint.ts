/** Tells whether two payloads say the same, whatever the order of their fields. */
import { createHash } from "node:crypto"

/** Canonical JSON: object fields sorted by name, no spaces (RFC 8785 for the values that events may hold). */
const canonical = (value: unknown): string => {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = value as { readonly [name: string]: unknown }
  let text = ""
  for (const name of Object.keys(fields).sort()) {
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${canonical(fields[name])}`
  }
  return `{${text}}`
}

/** The first 32 hex digits of the SHA-256 of the canonical JSON of `payload`. */
export const fingerprint = (payload: unknown): string => digest(canonical(payload))

/** The same for bytes that are no JSON. */
export const digest = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, 32)
