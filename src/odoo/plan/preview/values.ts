/**
 * Whether a cell as `load` takes it says the same as the value that `read` gives. Pure. What Odoo makes of a text by
 * itself (a VAT number without dots, text as HTML) is the same; anything a person has changed is not.
 */
import { BigDecimal } from "effect"
import { fromOdooFloat } from "../../../../schemas/money.ts"
import type { Cell } from "../../../flow/Step.ts"
import { many2one } from "../../CompanyCalls.ts"
import type { FieldType } from "../../Fields.ts"
import type { Json } from "../../Odoo.ts"

/** A column of `load`: `partner_id/id` is the field `partner_id` by external id. */
export interface Column {
  readonly field: string
  readonly by: "value" | "externalId" | "databaseId"
}

export const columnOf = (path: string): Column =>
  path.endsWith("/.id")
    ? { field: path.slice(0, -4), by: "databaseId" }
    : path.endsWith("/id")
    ? { field: path.slice(0, -3), by: "externalId" }
    : { field: path, by: "value" }

/** Database ids in the value of a relation. */
export const idsIn = (read: Json | undefined): ReadonlyArray<number> => {
  if (Array.isArray(read) && typeof read[1] !== "string") return read.filter((id) => typeof id === "number")
  const id = many2one(read)
  return id === undefined ? [] : [id]
}

/** Decimals at which a float of Odoo is exact enough to be compared. */
const FLOAT_SCALE = 6
/** Decimals of most of Odoo's prices and quantities: finer ones are rounded to them when they are written. */
const STORED_SCALE = 2

const sameNumber = (cell: Cell, read: Json | undefined): boolean => {
  if (typeof read !== "number") return cell === ""
  const wanted = BigDecimal.fromString(cell === "" ? "0" : String(cell))
  if (wanted._tag === "None") return false
  const got = fromOdooFloat(read, FLOAT_SCALE)
  return BigDecimal.equals(wanted.value, got) ||
    BigDecimal.equals(BigDecimal.round(wanted.value, { scale: STORED_SCALE, mode: "half-from-zero" }), got)
}

const isTrue = (cell: Cell): boolean =>
  typeof cell === "boolean" ? cell : !["", "0", "false", "no"].includes(String(cell).toLowerCase())

/** JSON with its fields in order. */
const canonical = (value: Json): string =>
  value === null || typeof value !== "object"
    ? JSON.stringify(value)
    : Array.isArray(value)
    ? `[${value.map(canonical).join(",")}]`
    : `{${
      Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => `${name}:${canonical(one)}`).join()
    }}`

const sameJson = (cell: Cell, read: Json | undefined): boolean => {
  if (cell === "" || read === false || read === undefined) return cell === "" && (read === false || read === undefined)
  try {
    return canonical(JSON.parse(String(cell)) as Json) === canonical(read)
  } catch {
    return false
  }
}

const lettersOf = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")
const textOf = (html: string): string =>
  html.replace(/<[^>]*>/gu, " ").replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&#34;", '"').replaceAll("&#39;", "'").replace(/\s+/gu, " ").trim()

const sameText = (cell: Cell, read: Json | undefined, type: string, rewritten: boolean): boolean => {
  const [wanted, got] = [String(cell), typeof read === "string" ? read : ""]
  if (wanted === got) return true
  if (type === "html") return textOf(wanted) === textOf(got)
  if (type === "datetime") return `${wanted} 00:00:00` === got
  return rewritten && lettersOf(wanted) === lettersOf(got)
}

export interface Comparison {
  readonly type: FieldType
  /** External ids of the records that the value refers to. */
  readonly namesOf: (id: number) => ReadonlyArray<string>
  /** Odoo brings this text into a form of its own. */
  readonly rewritten: boolean
}

const sameReferences = (by: Column["by"], cell: Cell, read: Json | undefined, namesOf: Comparison["namesOf"]) => {
  const wanted = cell === "" ? [] : String(cell).split(",")
  const got = idsIn(read)
  return wanted.length === got.length &&
    got.every((id) =>
      by === "databaseId" ? wanted.includes(String(id)) : namesOf(id).some((name) => wanted.includes(name))
    )
}

export const same = (
  { by }: Column,
  cell: Cell,
  read: Json | undefined,
  { namesOf, rewritten, type: { type } }: Comparison,
): boolean => {
  switch (type) {
    case "many2one":
    case "many2many":
    case "one2many":
      return sameReferences(by, cell, read, namesOf)
    case "boolean":
      return isTrue(cell) === (read === true)
    case "float":
    case "monetary":
    case "integer":
      return sameNumber(cell, read)
    case "json":
      return sameJson(cell, read)
    default:
      return sameText(cell, read, type, rewritten)
  }
}

/** A value of Odoo in words: the label of a relation, nothing for an empty one. */
export const shown = (read: Json | undefined, namesOf: Comparison["namesOf"]): string => {
  if (read === undefined || read === null || read === false) return ""
  if (Array.isArray(read) && typeof read[1] === "string") {
    return `${namesOf(Number(read[0]))[0] ?? read[0]} (${read[1]})`
  }
  if (Array.isArray(read)) return idsIn(read).map((id) => namesOf(id)[0] ?? String(id)).join(",")
  return typeof read === "object" ? JSON.stringify(read) : String(read)
}
