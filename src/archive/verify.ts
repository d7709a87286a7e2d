/**
 * Whether archives are what was written: each file against what the ledger entered of it, and the audit trail from the
 * first record in an archive to the last one in the ledger.
 */
import { Effect, Schema, Stream } from "effect"
import { type Archive, type ArchiveKind, Archives } from "../ledger/Archives.ts"
import { type AuditRecord, chain, CHAIN_BEGIN, type ChainEnd } from "../ledger/Governance.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Vault } from "./Vault.ts"

/** Files listed, and records of a trail read, at a time. */
const PAGE = 1_000

export interface Damage {
  readonly kind: ArchiveKind
  readonly name: string
  readonly problem: string
}

export interface TrailVerdict {
  /** Records in archives, and in the ledger. */
  readonly archived: number
  readonly live: number
  /** Position of the first record that is missing or not what was written; null: all are there. */
  readonly broken: number | null
  /** Hash of the last record; empty: there is none, or the trail is broken. */
  readonly lastHash: string
}

/** Oldest first. */
export const filesOf = Effect.fnUntraced(function* (entity: string, kind?: ArchiveKind) {
  const archives = yield* Archives
  const files: Array<Archive> = []
  while (true) {
    const after = files.at(-1)
    const page: ReadonlyArray<Archive> = yield* archives.list({
      entity,
      limit: PAGE,
      ...(kind !== undefined && { kind }),
      ...(after !== undefined && { after }),
    })
    files.push(...page)
    if (page.length < PAGE) return files.reverse()
  }
})

/** What is wrong with a file; null: nothing. */
export const damageOf = Effect.fnUntraced(function* (file: Archive) {
  const vault = yield* Vault
  const found = yield* vault.content(file).pipe(Effect.result)
  const { kind, name } = file
  if (found._tag === "Failure") return { kind, name, problem: found.failure.message }
  const { bytes, rows, sha256 } = found.success
  if (sha256 === file.sha256) return null
  return {
    kind,
    name,
    problem:
      `has ${rows} rows, ${bytes} bytes; ${file.rows} rows, ${file.bytes} bytes were written, or another content`,
  }
})

const Recorded = Schema.fromJsonString(Schema.Struct({
  entity: Schema.String,
  sequence: Schema.Int,
  atMillis: Schema.Int,
  actor: Schema.String,
  action: Schema.String,
  detail: Schema.String,
  previousHash: Schema.String,
  hash: Schema.String,
}))
const recordIn = Schema.decodeUnknownOption(Recorded)

/** Follows the trail in the ledger from where it begins; an archiving meanwhile moves that. */
export const liveTrail = Effect.fnUntraced(function* (entity: string) {
  const ledger = yield* Ledger
  while (true) {
    const anchor = yield* ledger.auditAnchor(entity)
    let [end, live, broken]: [ChainEnd, number, number | null] = [anchor, 0, null]
    while (broken === null) {
      const page: ReadonlyArray<AuditRecord> = yield* ledger.audit({
        entity,
        after: end.sequence,
        limit: PAGE,
        order: "oldest",
      })
      const checked = chain(end, page)
      live += page.length
      if ("broken" in checked) broken = checked.broken
      else {
        end = checked
        if (page.length < PAGE) break
      }
    }
    const isMoved = broken !== null && (yield* ledger.auditAnchor(entity)).sequence !== anchor.sequence
    if (!isMoved) return { anchor, broken, live, lastHash: broken === null ? end.hash : "" }
  }
})

/** Follows the trail over all its files: where it ends, how many records, its hash at a position, where it is broken. */
const archivedTrail = Effect.fnUntraced(function* (entity: string, anchor: ChainEnd) {
  const vault = yield* Vault
  let [end, archived, anchored]: [ChainEnd, number, string] = [CHAIN_BEGIN, 0, CHAIN_BEGIN.hash]
  let broken: number | null = null
  // Names begin with the first record's position.
  const files = (yield* filesOf(entity, "audit")).toSorted((a, b) => a.name < b.name ? -1 : 1)
  for (const file of files) {
    yield* vault.lines(file).pipe(
      Stream.takeWhile(() => broken === null),
      Stream.runForEach((line) =>
        Effect.sync(() => {
          const record = recordIn(line)
          if (record._tag === "None") return void (broken = end.sequence + 1)
          // Two archivings at once wrote it twice.
          if (record.value.sequence <= end.sequence) return
          const checked = chain(end, [record.value])
          if ("broken" in checked) return void (broken = checked.broken)
          end = checked
          archived++
          if (end.sequence === anchor.sequence) anchored = end.hash
        })
      ),
      Effect.catchTag("VaultError", () => Effect.sync(() => void (broken = end.sequence + 1))),
    )
    if (broken !== null) break
  }
  // What left the ledger has to be here, up to the very record that its trail goes on from.
  if (broken === null && anchored !== anchor.hash) broken = Math.min(end.sequence + 1, anchor.sequence)
  return { archived, broken }
})

/** From the first record that was archived to the last one in the ledger. */
export const wholeTrail = Effect.fnUntraced(function* (entity: string) {
  const { anchor, broken, lastHash, live } = yield* liveTrail(entity)
  const past = yield* archivedTrail(entity, anchor)
  const first = past.broken ?? broken
  const verdict: TrailVerdict = {
    archived: past.archived,
    live,
    broken: first,
    lastHash: first === null ? lastHash : "",
  }
  return verdict
})

/** All of an entity's archives. */
export const verifyArchives = Effect.fnUntraced(function* (entity: string) {
  const files = yield* filesOf(entity)
  const damaged: Array<Damage> = []
  let rows = 0
  for (const file of files) {
    const damage = yield* damageOf(file)
    if (damage === null) rows += file.rows
    else damaged.push(damage)
  }
  return { files: files.length, rows, damaged, trail: yield* wholeTrail(entity) }
})
