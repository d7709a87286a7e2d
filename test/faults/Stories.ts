/**
 * Every flow's story beside the month: the fixtures of `fixtures/flows/`, each in a legal entity of its own over a company
 * of its own, step by step, with what people do in between. Together they pass through all flows of the catalogue.
 *
 * What a person does while a server is away is tried until it is done, as a person would: looking first whether it is.
 */
import { Effect, Schedule } from "effect"
import type { Random } from "../../fixtures/generator/Random.ts"
import { companies, type SeedCompany } from "../../fixtures/odoo/seed.ts"
import { again, expectedAt, messagesOf } from "../../fixtures/replay/expected.ts"
import { counts, type Fixture, fixtures, isAct, type Line } from "../../fixtures/replay/Fixture.ts"
import { type Label, LABELS, type Place, placeOf } from "../../fixtures/replay/Place.ts"
import { make } from "../../fixtures/replay/replay.ts"
import { baseline, standing, wanted } from "../../fixtures/replay/standing.ts"
import { Broker } from "../../src/broker/Broker.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { type Json, Odoo } from "../../src/odoo/Odoo.ts"
import { catalog } from "../../streams/catalog.ts"

/**
 * Between two looks whether a story is quiet, and most of them: on a slow machine an entity may be taken for overloaded,
 * and then does only what is critical for three minutes. The ledger is asked for all stories at once.
 */
const LOOK = "150 millis"
const ASKED = "100 millis"
const PATIENCE = 4_000
const TRIES = Schedule.max([Schedule.spaced("300 millis"), Schedule.recurs(300)])
/** Chance of a message to come twice in a story that is told `twice`. */
const DOUBLED = 0.35

const seeds: Readonly<Record<Label, Pick<SeedCompany, "country" | "currency" | "taxes"> & { percent: number }>> = {
  USD: { country: "US", currency: "USD", taxes: { "15%": 15, "0% Exports": 0 }, percent: 15 },
  EUR: { country: "BE", currency: "EUR", taxes: { "21%": 21, "0%": 0 }, percent: 21 },
  GBP: { country: "GB", currency: "GBP", taxes: { "20%": 20, "0%": 0 }, percent: 20 },
}
/** Ids of purchase taxes, apart from each other and from those of the companies that every Odoo has. */
const FIRST_TAX = 1_000
const TAXES = 100

const all = fixtures()
const labelOf = (index: number): Label => LABELS[index % LABELS.length]!
const companyOf = (index: number): number => companies.length + 1 + index
const entityOf = (index: number): string => `story${String(index + 1).padStart(2, "0")}`

/** What the stand-in must begin with: a company for each story, after those that it has anyway. */
export const world = {
  companies: [
    ...companies,
    ...all.map(({ name }, index): SeedCompany => {
      const { percent, ...seed } = seeds[labelOf(index)]
      return {
        ...seed,
        name: `Story ${name}`,
        purchaseTaxes: { [`${percent}% purchases`]: { percent, id: FIRST_TAX + TAXES * index } },
      }
    }),
  ],
  locks: [],
}

/** How a story is told. */
export interface Telling {
  /** A third of its messages come twice. */
  readonly twice?: boolean
  /** Bytes that are no event come between them, once for each of its flows. */
  readonly poisoned?: boolean
}

interface Told {
  readonly fixture: Fixture
  /** Lines that are there twice. */
  readonly doubled: ReadonlyArray<string>
  /** Flows that got bytes. */
  readonly poisoned: ReadonlyArray<string>
}

const domainOf = (subject: string): string => subject.split(".")[2] ?? ""

const told = (fixture: Fixture, { poisoned = false, twice = false }: Telling, random: Random): Told => {
  const doubled: Array<string> = []
  const bytes = new Set<string>()
  const lines = fixture.lines.flatMap((text) => {
    const line = JSON.parse(text) as Line
    if (isAct(line)) return [text]
    const own = [text]
    if (twice && random.chance(DOUBLED)) {
      own.push(text)
      doubled.push(text)
    }
    const domain = domainOf(line.subject)
    if (poisoned && !bytes.has(domain)) {
      bytes.add(domain)
      own.unshift(JSON.stringify({ subject: line.subject, raw: `${"[".repeat(100)} {entity} ${domain}` }))
    }
    return own
  })
  const flows = catalog.filter(({ domain }) => bytes.has(domain)).map(({ name }) => name)
  return { fixture: { ...fixture, lines }, doubled, poisoned: flows }
}

/** Of one flow, over all stories. */
export type Counts = Readonly<Record<typeof counts[number], number>>

export interface Stories {
  /** For `weir.json`. */
  readonly places: ReadonlyArray<Place>
  /** Tells one, by number from 0, to its end. */
  readonly tell: (index: number) => Effect.Effect<void>
  readonly count: number
  /** What does not stand as it must, of those told to their end, with the flows that may be concerned. */
  readonly wrong: Effect.Effect<ReadonlyArray<{ readonly flows: ReadonlyArray<string>; readonly line: string }>>
  /** What became of the events, by flow. */
  readonly outcomes: Effect.Effect<ReadonlyMap<string, Counts>>
}

export interface StoryPorts {
  readonly broker: Broker["Service"]
  readonly ledger: Ledger["Service"]
  readonly odoo: Odoo["Service"]
  readonly lock: (company: number, lock: string, day: string) => Effect.Effect<void>
}

/** Looks at Odoo before it does again what makes something new. */
const patient = (odoo: Odoo["Service"]): Odoo["Service"] => ({
  ...odoo,
  call: (call) => {
    if (call.method !== "create") return Effect.retry(odoo.call(call), TRIES)
    const [values = {}] = call.args?.["vals_list"] as ReadonlyArray<{ readonly [field: string]: Json }>
    const domain = Object.entries(values).filter(([, value]) => typeof value === "string").map((
      [field, value],
    ): Json => [field, "=", value])
    const { ids: _, ...rest } = call
    const there = odoo.call({ ...rest, method: "search", args: { domain } })
    const again = Effect.flatMap(
      there,
      (found) => (found as ReadonlyArray<Json>).length > 0 ? Effect.succeed(found) : odoo.call(call),
    )
    return Effect.catch(odoo.call(call), () => Effect.retry(again, TRIES))
  },
})

/** All stories, before Weir starts; `telling` says how they are told. */
export const prepare = Effect.fnUntraced(function* (ports: StoryPorts, telling: Telling, random: Random) {
  const odoo = patient(ports.odoo)
  const tallies = yield* Effect.cachedWithTTL(Effect.retry(ports.ledger.tallies(), TRIES), ASKED)
  const ledger: Ledger["Service"] = {
    ...ports.ledger,
    tallies: (entity) =>
      entity === undefined ? tallies : Effect.map(tallies, (rows) => rows.filter((row) => row.entity === entity)),
    exceptions: (filter) => Effect.retry(ports.ledger.exceptions(filter), TRIES),
    retry: (entity, ids) => Effect.retry(ports.ledger.retry(entity, ids), TRIES),
    dismiss: (entity, ids, reason) => Effect.retry(ports.ledger.dismiss(entity, ids, reason), TRIES),
    approve: (entity, reference, by) => Effect.retry(ports.ledger.approve(entity, reference, by), TRIES),
  }
  const broker: Broker["Service"] = {
    ...ports.broker,
    publish: (publications) => Effect.retry(ports.broker.publish(publications), TRIES),
  }
  const provided = <A, E>(effect: Effect.Effect<A, E, Broker | Ledger | Odoo>): Effect.Effect<A> =>
    effect.pipe(
      Effect.provideService(Broker, broker),
      Effect.provideService(Ledger, ledger),
      Effect.provideService(Odoo, odoo),
      Effect.orDie,
    )

  const each = yield* Effect.forEach(all, (fixture, index) =>
    Effect.gen(function* () {
      const label = labelOf(index)
      const place = yield* placeOf(odoo, companyOf(index), label, entityOf(index))
      if (place === undefined) return yield* Effect.die(new Error(`company ${companyOf(index)} is no ${label} company`))
      const story = told(fixture, telling, random)
      const models = Object.keys((JSON.parse(fixture.expected) as { readonly records: object }).records)
      const before = yield* baseline(place, models)
      const replay = make([place], { moment: Effect.sleep(LOOK), patience: PATIENCE, lock: ports.lock })
      return { story, place, before, replay, tell: provided(replay.run(story.fixture, { acts: true })) }
    })).pipe(provided)

  const finished = new Set<number>()
  const wrongOf = ({ before, place, replay, story }: typeof each[number]) =>
    Effect.gen(function* () {
      const expected = again(expectedAt(story.fixture, place, replay.idsMade(place)), story.doubled)
      const { exceptions, flows, ...records } = wanted(expected)
      const { exceptions: held, flows: became, ...found } = yield* standing(place, expected, before)
      const isPoison = ({ code, flow }: { readonly code: string; readonly flow: string }) =>
        code === "EVENT-NOT-JSON" && story.poisoned.includes(flow)
      const withBytes = Object.fromEntries(
        Object.entries(flows).map(([flow, own]) => [
          flow,
          story.poisoned.includes(flow) ? { ...own, parked: (own["parked"] ?? 0) + 1 } : own,
        ]),
      )
      const differ = (what: string, is: unknown, must: unknown): ReadonlyArray<string> =>
        sorted(is) === sorted(must) ? [] : [`${story.fixture.name} ${what}: ${sorted(is)}, expected ${sorted(must)}`]
      const lines = [
        ...differ("flows", became, withBytes),
        ...differ("exceptions", held.filter((one) => !isPoison(one)), exceptions),
        ...differ("bytes", held.filter(isPoison).length, story.poisoned.length),
        ...differ("records", found, records),
      ]
      const own = [...messagesOf(story.fixture.lines).keys()]
      return lines.map((line) => ({ flows: own, line }))
    })

  const stories: Stories = {
    places: each.map(({ place }) => place),
    count: each.length,
    tell: (index) =>
      each[index]!.tell.pipe(
        Effect.onError(() => Effect.logError(`the story ${all[index]!.name} of ${entityOf(index)} does not go on`)),
        Effect.andThen(Effect.sync(() => void finished.add(index))),
      ),
    wrong: provided(
      Effect.map(
        Effect.forEach(each.filter((_, index) => finished.has(index)), wrongOf),
        (lines) => lines.flat(),
      ),
    ),
    outcomes: provided(Effect.gen(function* () {
      const entities = new Set(each.map(({ place }) => place.entity))
      const byFlow = new Map<string, Record<string, number>>()
      for (const tally of (yield* Ledger.use((ledger) => ledger.tallies())).filter((one) => entities.has(one.entity))) {
        const own = byFlow.get(tally.flow) ?? {}
        for (const name of counts) own[name] = (own[name] ?? 0) + tally[name]
        byFlow.set(tally.flow, own)
      }
      return byFlow as unknown as ReadonlyMap<string, Counts>
    })),
  }
  return stories
})

/** JSON with the keys of every object in one order. */
const sorted = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
        : inner,
  ) ?? "nothing"
