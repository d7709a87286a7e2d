/**
 * Columns as array parameters, in PostgreSQL's binary format. Measured, eleven columns of 500 rows there and back: 1.7 ms;
 * as one `json` document 2.7 ms, as `jsonb` 3.4 to 5 ms.
 */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"
import { printable } from "../text.ts"

const column = (values: ReadonlyArray<unknown>, oid: number): PgTypes.Parameter =>
  Result.getOrThrow(PgTypes.array(values, oid))

export const textColumn = <A>(rows: ReadonlyArray<A>, of: (row: A) => string | null): PgTypes.Parameter =>
  column(
    rows.map((row) => {
      const text = of(row)
      return text === null ? null : printable(text)
    }),
    PgTypes.OID.text,
  )

/** Text that is JSON already: a NUL in it is escaped and stays. */
export const jsonColumn = <A>(rows: ReadonlyArray<A>, of: (row: A) => unknown): PgTypes.Parameter =>
  column(
    rows.map((row) => {
      const value = of(row)
      return value === null ? null : JSON.stringify(value)
    }),
    PgTypes.OID.text,
  )

/** Whole numbers up to 2^53. */
export const bigintColumn = <A>(rows: ReadonlyArray<A>, of: (row: A) => number | null): PgTypes.Parameter =>
  column(
    rows.map((row) => {
      const number = of(row)
      return number === null ? null : BigInt(Math.trunc(number))
    }),
    PgTypes.OID.int8,
  )

export const intColumn = <A>(rows: ReadonlyArray<A>, of: (row: A) => number): PgTypes.Parameter =>
  column(rows.map(of), PgTypes.OID.int4)

export const bytesColumn = <A>(rows: ReadonlyArray<A>, of: (row: A) => Uint8Array): PgTypes.Parameter =>
  column(rows.map(of), PgTypes.OID.bytea)

export const optionalBytesColumn = <A>(
  rows: ReadonlyArray<A>,
  of: (row: A) => Uint8Array | null,
): PgTypes.Parameter => column(rows.map(of), PgTypes.OID.bytea)

export const bigint = (number: number): PgTypes.Parameter => PgTypes.int8(BigInt(Math.trunc(number)))

export const text = (value: string): PgTypes.Parameter => PgTypes.text(printable(value))

/** `name($1, $2, …)` with as many placeholders as parameters. */
export const invocation = (name: string, parameters: ReadonlyArray<unknown>): string =>
  `${name}(${parameters.map((_, index) => `$${index + 1}`).join(", ")})`
