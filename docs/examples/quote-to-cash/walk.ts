/**
 * From a won lead to a closed engagement, step by step through the running product: publishes the events of each chapter of
 * `events.ndjson`, waits until everything is quiet, and reads back what Odoo holds and what others were told. The page that
 * comes of it is `README.md`. It is the same on the stand-in and on a real Odoo.
 */
import { Effect, Stream } from "effect"
import { readFileSync } from "node:fs"
import { isAct, type Line } from "../../../fixtures/replay/Fixture.ts"
import { configurationOf, type Place, places } from "../../../fixtures/replay/Place.ts"
import { make, type Replay } from "../../../fixtures/replay/replay.ts"
import { baseline } from "../../../fixtures/replay/standing.ts"
import { Broker, type StoredMessage } from "../../../src/broker/Broker.ts"
import { parseEnvelope } from "../../../src/broker/cloudevents.ts"
import { check } from "../../../src/config/load.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { Ports } from "../../../src/ledger/PgPorts.ts"
import { engine } from "../../../src/main.ts"
import { Odoo } from "../../../src/odoo/Odoo.ts"
import { catalog } from "../../../streams/catalog.ts"
import { table } from "../../../streams/docs/page.ts"
import { models, tables } from "./stand.ts"

interface Chapter {
  readonly title: string
  readonly text: string
  /** Events and acts, in the format of `fixtures/flows/README.md`. */
  readonly lines: ReadonlyArray<string>
}

/** What goes before the first chapter, and the chapters. */
const read = () => {
  const before: Array<string> = []
  const chapters: Array<Chapter & { readonly lines: Array<string> }> = []
  for (const text of readFileSync(new URL("events.ndjson", import.meta.url), "utf8").split("\n")) {
    if (text === "") continue
    const line = JSON.parse(text) as Line | { readonly chapter: string; readonly text: string }
    if ("chapter" in line) chapters.push({ title: line.chapter, text: line.text, lines: [] })
    else (chapters.at(-1)?.lines ?? before).push(text)
  }
  return { before, chapters }
}

const WIDTH = 120

/** A paragraph as the formatter wants it. */
const wrapped = (text: string): string =>
  text.split(" ").reduce((lines: ReadonlyArray<string>, word) => {
    const last = lines.at(-1)
    return last === undefined || last.length + 1 + word.length > WIDTH
      ? [...lines, word]
      : [...lines.slice(0, -1), `${last} ${word}`]
  }, []).join("\n")

/** What differs from one database to the next, or by how many events were written in one go. */
const INCIDENTAL = /Id$|^(?:number|order|ready)$/u

/** Facts published after `after`. They go out once what they tell of is durable: waits until none is left to go. */
const factsAfter = Effect.fnUntraced(function* (place: Place, after: number, { moment, patience }: Replay) {
  const broker = yield* Broker
  const ledger = yield* Ledger
  const owner = (yield* ledger.owners).find(({ entity }) => entity === place.entity)
  if (owner === undefined) return yield* Effect.die(new Error(`nobody owns ${place.entity}`))
  for (let waited = 0; (yield* ledger.outbox({ entity: place.entity, epoch: owner.epoch }, 1)).length > 0; waited++) {
    if (waited > patience) return yield* Effect.die(new Error(`facts of ${place.entity} are not published`))
    yield* moment
  }
  return yield* Stream.runCollect(broker.read({ subject: `erp-out.${place.entity}.>`, fromSequence: after + 1 }))
})

/** Facts as JSON, in an order that does not depend on which flow was faster. */
const told = (messages: ReadonlyArray<StoredMessage>): ReadonlyArray<string> =>
  messages.map((message) => {
    const parsed = parseEnvelope(message)
    if (parsed._tag === "Failure") throw new Error(`${message.subject}: ${parsed.failure.detail}`)
    const { data, type } = parsed.success
    const kept = Object.entries(data as object).filter(([field]) => !INCIDENTAL.test(field))
    return JSON.stringify({ type, ...Object.fromEntries(kept) })
  }).sort()

const listed = (lines: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const text of lines) {
    const line = JSON.parse(text) as Line
    if (isAct(line)) continue
    const type = "envelope" in line ? String(line.envelope["type"]) : line.subject
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return [...counts].map(([type, count]) => `- \`${type}\`${count > 1 ? ` (${count})` : ""}`).join("\n")
}

const INTRODUCTION = `# Quote to cash, one engagement

${
  wrapped(
    "One engagement from the won lead to the last payment, as Weir writes it to Odoo. This page is the output of `walk.ts`, " +
      "which publishes [`events.ndjson`](events.ndjson) chapter by chapter to the running product and reads Odoo back " +
      "after each. A table is shown when it has changed. `deno task walk` does it on the stand-in, `deno task walk --odoo` " +
      "on the real Odoo of `ODOO_URL` ([live-odoo](../../live-odoo.md)); the tests hold both against this page.",
  )
}
`

/** Walks through the story with the product running for `place`. */
const walkThrough = Effect.fnUntraced(function* (place: Place, replay: Replay) {
  const before = yield* baseline(place, models)
  const { run } = make([place], replay)
  const publish = (lines: ReadonlyArray<string>) => run({ name: "quote-to-cash", lines, expected: "" }, { acts: true })
  const story = read()
  yield* publish(story.before)
  const page = [INTRODUCTION]
  const seen = new Map<string, string>()
  let last = 0
  for (const [at, { lines, text, title }] of story.chapters.entries()) {
    yield* publish(lines)
    page.push(`## ${at + 1}. ${title}\n\n${wrapped(text)}\n\n${listed(lines)}\n`)
    for (const { rows, title } of yield* tables(place, before)) {
      const shown = table(rows)
      if (seen.get(title) !== shown) page.push(`${title}:\n\n${shown}\n`)
      seen.set(title, shown)
    }
    const facts = yield* factsAfter(place, last, replay)
    last = facts.at(-1)?.streamSequence ?? last
    if (facts.length > 0) page.push(`Others are told:\n\n\`\`\`ndjson\n${told(facts).join("\n")}\n\`\`\`\n`)
  }
  return page.join("\n")
})

/** The page, from the company in euros. `run` makes the entity's code unique in its database. */
export const walk = Effect.fnUntraced(function* (
  run: string,
  replay: Replay,
): Effect.fn.Return<string, unknown, Odoo | Broker | Ports> {
  const place = (yield* places(yield* Odoo, run)).find(({ label }) => label === "EUR")!
  const { configuration } = yield* check("quote-to-cash", configurationOf([place]), {})
  return yield* Effect.provide(walkThrough(place, replay), engine(configuration, catalog))
})
