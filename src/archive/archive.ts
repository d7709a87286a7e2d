/**
 * An archiving of one legal entity: what the policies let go is written to files, and what is verifiably in a file leaves
 * the ledger.
 *
 *     files whose rows have not all left ─► let them leave          (what an archiving before this one left undone)
 *     months that may leave ─► file ─► entered, on the audit trail ─► read back, compared ─► its rows leave, a few at a time
 *
 * Whatever dies in between leaves the rows in the ledger, in a file, or in both. Rows leave by what the file says and not
 * by what was asked for it: what is not in a file that is whole does not leave.
 */
import { Effect, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { Clock } from "effect"
import { untilAvailable } from "../actor/patience.ts"
import type { Flow } from "../flow/Flow.ts"
import { Access } from "../ledger/Access.ts"
import { type Archive, type ArchiveKind, archiveKinds, Archives, type LeaversOfMonth } from "../ledger/Archives.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { type Run, type RunJson, Runs } from "../ledger/Runs.ts"
import { archivedRows } from "../telemetry/Metrics.ts"
import { eventFiles } from "./events.ts"
import { idIn, rowLine } from "./lines.ts"
import { beforeMillis, monthOf, type Retention } from "./policy.ts"
import { provenMonths } from "./proven.ts"
import { requestOf } from "./Request.ts"
import { leisurely } from "./leisurely.ts"
import { pages } from "./pages.ts"
import { type Line, Vault, VaultError } from "./Vault.ts"

/** Rows that leave in one transaction: the entity's settlements wait for it. A run takes its many events with it. */
const drops: Readonly<Record<ArchiveKind, number>> = {
  events: 100,
  exceptions: 200,
  corrections: 200,
  audit: 200,
  runs: 5,
}
/** Files that were left undone, at most; more are finished by the next archiving. */
const PENDING = 1_000

interface Totals {
  /** Rows that may leave by age. */
  due: number
  /** Of these, in months without a complete proof, which keep them. */
  unproven: number
  files: number
  written: number
  dropped: number
}

/** Files of one kind and month that were not entered yet. */
interface Part<E, R> {
  readonly name: string
  readonly lines: Stream.Stream<Line, E, R>
}

const carriedOut = Effect.fn("Archive.run")(function* (run: Run, retention: Retention, flows: ReadonlyArray<Flow>) {
  const { entity, runId } = run
  const { apply } = requestOf(run)
  const [access, archives, ledger] = [yield* Access, yield* Archives, yield* Ledger]
  const [runs, vault] = [yield* Runs, yield* Vault]
  const available = untilAvailable("archive")
  const totals = new Map(
    archiveKinds.map((kind): [ArchiveKind, Totals] => [
      kind,
      { due: 0, unproven: 0, files: 0, written: 0, dropped: 0 },
    ]),
  )
  const unproven: Array<string> = []
  const json = () => Object.fromEntries(totals) as unknown as RunJson

  /** False: somebody ended the run. */
  const tell = Effect.suspend(() => runs.change(entity, runId, ["examining"], { totals: json() })).pipe(
    available,
    Effect.map((told) => told !== null),
  )

  const leave = Effect.fnUntraced(function* (file: Archive) {
    const { fromMillis, kind, name, rows, sha256, toMillis } = file
    const own = totals.get(kind)!
    // Before anything leaves; once, however often it is said.
    yield* access.record(entity, {
      id: `archive/${kind}/${name}`,
      actor: run.requestedBy,
      action: "archive.written",
      detail: { run: runId, kind, name, rows, sha256, fromMillis, toMillis },
    }).pipe(available)
    const found = yield* vault.content(file)
    if (found.sha256 !== sha256 || found.rows !== rows) {
      return yield* new VaultError({
        operation: "Archive.leave",
        message:
          `${entity}/${kind}/${name}.ndjson is not what was written: its rows stay in the ledger. Bring the file ` +
          `back from a copy.`,
      })
    }
    yield* vault.lines(file).pipe(
      Stream.map((line) => idIn(kind, line)),
      Stream.grouped(drops[kind]),
      Stream.runForEach((ids) =>
        Effect.gen(function* () {
          const gone = yield* archives.drop(entity, kind, ids).pipe(available)
          own.dropped += gone
          yield* archivedRows(entity, kind, gone)
        }).pipe(leisurely)
      ),
    )
    yield* archives.dropped(file).pipe(available)
    yield* tell
  })

  const written = Effect.fnUntraced(function* <E, R>(kind: ArchiveKind, { lines, name }: Part<E, R>) {
    const place = { entity, kind, name }
    const content = yield* vault.write(place, lines)
    if (content === null) return
    yield* archives.record({ ...place, ...content }).pipe(available)
    const own = totals.get(kind)!
    own.files++
    own.written += content.rows
    yield* leave({ ...place, ...content, writtenAtMillis: 0, droppedAtMillis: null })
  })

  const rowsOf = (leavers: LeaversOfMonth): Stream.Stream<Line, never, never> => {
    const toLine = rowLine(leavers.kind)
    return pages((after, limit) => archives.page(leavers, after, limit).pipe(available, Effect.orDie)).pipe(
      Stream.map(toLine),
    )
  }

  const month = Effect.fnUntraced(function* (kind: ArchiveKind, before: number, month: string) {
    const leavers = { entity, kind, beforeMillis: before, ...monthOf(month) }
    const name = `${month}-${randomBytes(4).toString("hex")}`
    if (kind !== "events") return yield* written(kind, { name, lines: rowsOf(leavers) })
    const files = eventFiles(leavers, flows)
    yield* written(kind, { name, lines: files.withMessages }).pipe(available)
    // Named so that nobody hands them to a replay: they have no payload.
    yield* written(kind, { name: `${name}.rows`, lines: files.withoutMessages }).pipe(available)
  })

  /** The trail leaves from its first record on, whatever the month. */
  const trail = Effect.fnUntraced(function* (before: number) {
    const { sequence } = yield* ledger.auditAnchor(entity).pipe(available)
    const name = `${String(sequence + 1).padStart(9, "0")}-${randomBytes(4).toString("hex")}`
    const all = { entity, kind: "audit", beforeMillis: before, fromMillis: 0, toMillis: before } as const
    yield* written("audit", { name, lines: rowsOf(all) })
  })

  const now = yield* Clock.currentTimeMillis
  if (apply) {
    const pending = yield* archives.list({ entity, pending: true, limit: PENDING }).pipe(available)
    for (const file of pending.toReversed()) yield* leave(file)
  }
  const proven = yield* provenMonths(entity, retention).pipe(available)
  for (const kind of archiveKinds) {
    const before = beforeMillis(retention, kind, now)
    if (before === null) continue
    const own = totals.get(kind)!
    const months = yield* archives.months({ entity, kind, beforeMillis: before }).pipe(available)
    own.due = months.reduce((sum, { rows }) => sum + rows, 0)
    if (kind === "audit") {
      if (apply && own.due > 0) yield* trail(before)
      continue
    }
    for (const { month: name, rows } of months) {
      if (kind === "events" && !proven(name)) {
        own.unproven += rows
        unproven.push(name)
      } else if (apply) yield* month(kind, before, name)
      if (!(yield* tell)) return
    }
  }
  const oldest: Record<string, string> = {}
  for (const kind of archiveKinds) {
    const [first] = yield* archives.months({ entity, kind, beforeMillis: now }).pipe(available)
    if (first !== undefined) oldest[kind] = first.month
  }
  yield* runs.change(entity, runId, ["examining"], {
    state: "done",
    totals: json(),
    result: { apply, unproven, directory: vault.directory, oldest },
  }).pipe(available)
})

/** Waits for its turn: a process carries out a few at a time, however many legal entities it has. */
export const archive = (run: Run, retention: Retention, flows: ReadonlyArray<Flow>) =>
  Vault.use(({ turns }) => turns.withPermit(carriedOut(run, retention, flows)))
