import { assert, describe, it } from "@effect/vitest"
import { readFile } from "node:fs/promises"
import { document } from "../../src/http/document.ts"
import { operationNames } from "../../src/operate/Operations.ts"

interface Documented {
  readonly operationId: string
  readonly summary: string
  readonly security: ReadonlyArray<unknown>
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

const operations = Object.values(JSON.parse(document()).paths as Record<string, Record<string, Documented>>)
  .flatMap((methods) => Object.values(methods))

describe("the API's document", () => {
  it("docs/openapi.json is current (deno task openapi writes it)", async () => {
    assert.strictEqual(await readFile(new URL("../../docs/openapi.json", import.meta.url), "utf8"), document())
  })

  it("names every operation, with its summary and the credential that it takes", () => {
    assert.deepStrictEqual(operations.map(({ operationId }) => operationId).toSorted(), operationNames.toSorted())
    for (const { operationId, security, summary } of operations) {
      assert.isNotEmpty(summary, operationId)
      assert.deepStrictEqual(security, [{ bearer: [] }], operationId)
    }
  })

  it("declares every refusal as problem details", () => {
    for (const { operationId, responses } of operations) {
      for (const status of ["400", "401", "403", "404", "409", "422", "429", "500", "503"]) {
        assert.hasAllKeys(responses[status]?.content, ["application/problem+json"], `${operationId} ${status}`)
      }
    }
  })
})
