/** Small scenarios, made for one test: the generator's month with other sizes, another order, more trouble. */
import { Effect, type Scope } from "effect"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { firm } from "../../fixtures/generator/Firm.ts"
import { Expectation } from "../../fixtures/generator/Expectation.ts"
import { configOf, employeesOf, worldOf } from "../../fixtures/generator/generate.ts"
import { lineOf, type Message } from "../../fixtures/generator/Message.ts"
import { messages } from "../../fixtures/generator/Scenario.ts"
import { resize, shapes } from "../../fixtures/generator/Shape.ts"
import { load, type Scenario } from "../../fixtures/scenario.ts"

/** A folder that PostgreSQL's own user may enter, gone with the scope. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const path = await mkdtemp(join(tmpdir(), "weir-faults-"))
    await chmod(path, 0o755)
    return path
  }),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 })),
)

export interface InputOptions {
  readonly seed: number
  /** Over all entities, one each at least. */
  readonly consultants: number
  /** Default: the three of the small month-end. Others: a firm of as many, of one size, and the companies for it. */
  readonly entities?: number
  readonly days: number
  /** Changes what is published; what must come of it is worked out anew. Default: as it is. */
  readonly arrange?: (messages: ReadonlyArray<Message>) => ReadonlyArray<Message>
}

/** Writes a scenario to a folder of its own. */
export const make = Effect.fnUntraced(function* ({ arrange, consultants, days, entities, seed }: InputOptions) {
  const path = yield* folder
  const small = shapes["month-end-small"]
  const shape = entities === undefined
    ? resize(small, { consultants, days })
    : resize({ ...small, entities: firm(consultants, entities) }, { consultants, days })
  const world = worldOf(shape)
  const all = [...messages(shape, seed)]
  const arranged = arrange === undefined ? all : arrange(all)
  const expectation = new Expectation()
  for (const message of arranged) expectation.observe(message)
  const expected = {
    scenario: `month-of-${consultants}`,
    seed,
    events: expectation.published,
    ...expectation.result(shape.entities.map(({ code }) => code)),
  }
  const files = {
    "events.ndjson": arranged.map((message) => `${lineOf(message)}\n`).join(""),
    "expected.json": JSON.stringify(expected),
    "employees.json": JSON.stringify(employeesOf(shape)),
    "weir.json": JSON.stringify(configOf(shape)),
    ...(world !== undefined && { "odoo.json": JSON.stringify(world) }),
  }
  yield* Effect.promise(() =>
    Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(path, name), text)))
  )
  const scenario: Scenario = yield* load(path)
  return scenario
})
