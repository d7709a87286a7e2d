import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { catalog } from "../../streams/catalog.ts"
import { page } from "../../streams/docs/page.ts"
import { sources } from "../../streams/docs/sources.ts"
import { columnsOf, ownership } from "../../streams/ownership.ts"
import { pass, ports, publication, publish, running } from "../simulation/World.ts"
import { exampleOf } from "./examples.ts"

/** Event types whose flows the ownership table covers. */
const types = catalog.filter(({ name }) => ownership.some(({ flow }) => flow === name))
  .flatMap(({ events, name }) => events.map(({ type }) => ({ flow: name, type })))

describe("the ownership table", () => {
  it.effect("allows every column that the flows write", () => {
    const world = ports()
    const handle = world.standIn.handle.bind(world.standIn)
    const written: Array<readonly [model: string, columns: ReadonlyArray<string>]> = []
    world.standIn.handle = (request) => {
      const { fields } = request.body
      if (request.method === "load" && Array.isArray(fields)) {
        written.push([request.model, (fields as ReadonlyArray<string>).filter((field) => field !== "id")])
      }
      return handle(request)
    }
    return Effect.gen(function* () {
      for (const { type } of types.toReversed()) {
        const { data, sequence } = exampleOf(type)
        // Here nobody has made the partner that the example takes over.
        const { odooPartner: _, ...own } = data as { readonly key: string; readonly odooPartner?: number }
        yield* publish(publication(type, own, { sequence: sequence ?? 1 }))
      }
      yield* publish(
        publication("approval.granted", { key: "senior-2026", flow: "rates", by: "fin@example.test" }, { sequence: 1 }),
      )
      yield* pass(30)
      const seeded = new Set(["product.product"])
      const allowed = (model: string) => ownership.flatMap(({ flow }) => [...columnsOf(flow, model) ?? []])
      for (const [model, columns] of written) {
        if (seeded.has(model)) continue
        for (const column of columns) assert.include(allowed(model), column, `${model}.${column}`)
      }
      const models = new Set(written.map(([model]) => model))
      for (const model of ["res.partner", "sale.order", "sale.order.line", "project.project"]) {
        assert.isTrue(models.has(model), `${model} was not written`)
      }
    }).pipe(Effect.provide(running()), Effect.provide(world.layer))
  })
})

describe("docs/flows", () => {
  it("is what deno task flows writes", () => {
    const from = sources()
    for (const flow of catalog) {
      const file = new URL(`../../docs/flows/${flow.name}.md`, import.meta.url)
      assert.strictEqual(readFileSync(file, "utf8"), page(flow, from), `docs/flows/${flow.name}.md is not up to date`)
    }
  })
})
