/**
 * The cause of an exception without what differs from one to the next: numbers, dates, keys, ids, quoted names, addresses.
 * The database computes the same (`sql/cause.ts`, from the same list); a test compares them.
 *
 *     account.move 96: amount_tax: promised 191.54, Odoo computes 191.55
 *     account.move #: amount_tax: promised #, Odoo computes #
 */
import { createHash } from "node:crypto"

/** Longer texts are cut before and after, in characters. */
export const MAX_DETAIL = 1_000
export const MAX_CAUSE = 300
/** Hex digits of a fingerprint: unlikely to collide among a million causes. */
export const FINGERPRINT_LENGTH = 16

/**
 * Pattern and what stands for it, in order. Written so that PostgreSQL's regular expressions and JavaScript's agree: ASCII
 * classes, no look-around, no lazy repetition.
 */
export const replacements: ReadonlyArray<readonly [pattern: string, by: string]> = [
  // "anything", 'anything'; an apostrophe within a word is none of these.
  ['"[^"]*"', '"*"'],
  ["(^|[^A-Za-z0-9'])'[^']*'", "\\1'*'"],
  ["[^ \\t\\n\\r\"'<>(),;]+@[^ \\t\\n\\r\"'<>(),;]+", "@"],
  // Whatever has a digit in it: 191.54, 2026-10-31, INV-00123, weir_be01.invoices_INV-00123.
  ["[A-Za-z0-9_./:#+-]*[0-9][A-Za-z0-9_./:#+-]*", "#"],
  ["[ \\t\\n\\r]+", " "],
]

const compiled = replacements.map(([pattern, by]) => [new RegExp(pattern, "gu"), by.replace("\\1", "$1")] as const)

const cut = (text: string, characters: number): string =>
  text.length <= characters ? text : [...text].slice(0, characters).join("")

export const causeOf = (detail: string): string =>
  cut(compiled.reduce((text, [pattern, by]) => text.replace(pattern, by), cut(detail, MAX_DETAIL)), MAX_CAUSE)

export const fingerprintOf = (code: string, detail: string): string =>
  createHash("sha256").update(`${code}\n${causeOf(detail)}`).digest("hex").slice(0, FINGERPRINT_LENGTH)
