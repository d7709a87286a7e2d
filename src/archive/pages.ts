/** Rows that may leave, page after page. */
import { Effect, Option, Stream } from "effect"
import type { Leaver } from "../ledger/Archives.ts"
import { leisurely } from "./leisurely.ts"

/** Rows read at a time. */
const PAGE = 500

export const pages = <E, R>(
  page: (after: string, limit: number) => Effect.Effect<ReadonlyArray<Leaver>, E, R>,
): Stream.Stream<Leaver, E, R> =>
  Stream.paginate(
    "",
    (after) =>
      Effect.map(leisurely(page(after, PAGE)), (rows): readonly [ReadonlyArray<Leaver>, Option.Option<string>] => [
        rows,
        rows.length < PAGE ? Option.none() : Option.some(rows.at(-1)!.id),
      ]),
  )
