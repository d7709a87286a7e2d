/** `docs/weir.schema.json`, made from the Schema that decodes the file, and what else reads that shape. */
import { Schema } from "effect"
import { File } from "./Configuration.ts"

/** The part of JSON Schema (draft 2020-12) that `weir.json` needs. */
export interface Shape {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<Shape>
  readonly properties?: { readonly [name: string]: Shape }
  readonly required?: ReadonlyArray<string>
  readonly patternProperties?: { readonly [pattern: string]: Shape }
  readonly additionalProperties?: Shape | boolean
  readonly $ref?: string
}

const inline = (shape: unknown, definitions: { readonly [name: string]: unknown }): unknown => {
  if (Array.isArray(shape)) return shape.map((part) => inline(part, definitions))
  if (typeof shape !== "object" || shape === null) return shape
  const { $ref, ...rest } = shape as { readonly [key: string]: unknown }
  const target = typeof $ref === "string" ? inline(definitions[$ref.slice("#/$defs/".length)], definitions) : {}
  return Object.fromEntries(
    Object.entries({ ...(target as object), ...rest }).map(([key, part]) => [
      key,
      // A field's default is a value, not a schema.
      key === "default" ? part : inline(part, definitions),
    ]),
  )
}

const document = Schema.toJsonSchemaDocument(File, { onExcessProperty: "error" })

/** The shape of `weir.json`, without references. */
export const shape = inline(document.schema, document.definitions) as Shape

/** The published document as text. */
export const published = (): string =>
  `${JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", ...shape }, null, 2)}\n`

/** The values of a record (`databases`, `entities`), null when the shape has fixed fields. */
export const elementOf = (shape: Shape): Shape | null =>
  typeof shape.additionalProperties === "object"
    ? shape.additionalProperties
    : Object.values(shape.patternProperties ?? {})[0] ?? null

/** A reference to a secret. */
export const isSecret = (shape: Shape): boolean =>
  shape.anyOf?.some((member) => member.properties?.["env"] !== undefined) ?? false
