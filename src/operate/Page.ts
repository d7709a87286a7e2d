/** Lists in pages: a bounded number of rows, and a cursor to what follows. */
import { Effect, Option, Schema } from "effect"
import { Malformed } from "./Problem.ts"

/** Most rows of a page. */
export const MAX_PAGE = 500
const DEFAULT_PAGE = 50

/** Query parameters of every list. */
export const pageQuery = {
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_PAGE })).annotate({
      description: `Rows of a page, 1 to ${MAX_PAGE}. Default ${DEFAULT_PAGE}`,
    }),
  ),
  after: Schema.optionalKey(
    Schema.String.check(Schema.isMaxLength(2_000)).annotate({ description: "`next` of the page before" }),
  ),
}

export interface PageRequest {
  readonly limit?: number
  readonly after?: string
}

/** A page of `item`s. `next`: what to ask for as `after`; null at the end. */
export const pageOf = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next: Schema.NullOr(Schema.String) })

export const limitOf = ({ limit = DEFAULT_PAGE }: PageRequest): number => limit

/**
 * Cursors of one list. They name the last row of a page by what the list is ordered by, so that rows which come and go
 * meanwhile neither repeat nor hide others.
 */
export const cursor = <A>(schema: Schema.Codec<A, unknown>) => {
  const json = Schema.fromJsonString(schema)
  const decode = Schema.decodeUnknownOption(json)
  const encode = Schema.encodeSync(json)
  return {
    of: (row: A): string => Buffer.from(encode(row)).toString("base64url"),
    /** Null at the beginning. */
    read: ({ after }: PageRequest): Effect.Effect<A | null, Malformed> => {
      if (after === undefined) return Effect.succeed(null)
      return Option.match(decode(Buffer.from(after, "base64url").toString()), {
        onNone: () => Effect.fail(new Malformed({ detail: "after is not what a page gave as next." })),
        onSome: (row) => Effect.succeed(row),
      })
    },
  }
}
