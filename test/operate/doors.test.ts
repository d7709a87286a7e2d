import { assert, describe, it } from "@effect/vitest"
import { Context, Option } from "effect"
import type { Command } from "effect/cli"
import { HttpApi } from "effect/http-api"
import { cli } from "../../src/cli/commands.ts"
import { Api } from "../../src/http/Api.ts"
import { operationOf } from "../../src/http/operation.ts"
import { Operation, operationNames, specOf } from "../../src/operate/Operations.ts"

/** What is no operation on a running Weir: it works on this machine, or is the service itself. */
const local = ["run", "publish", "doctor", "demo", "fixture make", "fixture capture", "surge"]

interface Leaf {
  readonly path: string
  readonly operation: string | null
}

const leaves = (command: Command.Command.Any, path: string): ReadonlyArray<Leaf> => {
  const children = command.subcommands.flatMap(({ commands }) => [...commands])
  if (children.length > 0) return children.flatMap((child) => leaves(child, `${path} ${child.name}`.trim()))
  const annotations = command.annotations as Context.Context<Operation>
  return [{ path, operation: Option.getOrNull(Context.getOption(annotations, Operation)) }]
}

const endpoints = () => {
  const found: Array<{ readonly operation: string | null; readonly method: string; readonly path: string }> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) =>
      void found.push({ operation: operationOf(endpoint.annotations), method: endpoint.method, path: endpoint.path }),
  })
  return found
}

const sorted = (names: ReadonlyArray<string | null>) => names.map(String).toSorted()

describe("the two doors", () => {
  it("every operation is one endpoint, and every endpoint an operation", () => {
    assert.deepStrictEqual(sorted(endpoints().map(({ operation }) => operation)), sorted(operationNames))
  })

  it("every operation is one command, and every command an operation or a thing of this machine", () => {
    const commands = leaves(cli, "").filter(({ path }) => !local.includes(path))
    assert.deepStrictEqual(sorted(commands.map(({ operation }) => operation)), sorted(operationNames))
    for (const { operation, path } of leaves(cli, "")) if (local.includes(path)) assert.isNull(operation, path)
  })

  it("what only reads is a GET, and what is an order is not", () => {
    for (const { method, operation, path } of endpoints()) {
      const { changes } = specOf(operation as (typeof operationNames)[number])
      assert.strictEqual(method === "GET", !changes, `${method} ${path}`)
    }
  })
})
