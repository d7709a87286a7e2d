/**
 * The operator's desk in one process: the whole product on memory adapters, its API on a port of this machine, and the
 * command line as its client. What people do there, they do through one of the two doors; what became of it is asked of
 * ledger and Odoo.
 */
import { assert } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Effect, Exit, Layer, Option, type Scope } from "effect"
import { Command } from "effect/cli"
import { TestConsole } from "effect/testing"
import { cli } from "../../src/cli/commands.ts"
import { CommandFailed } from "../../src/cli/Failure.ts"
import { follow } from "../../src/config/Live.ts"
import { check } from "../../src/config/load.ts"
import { Environment } from "../../src/config/Secret.ts"
import { address } from "../../src/http/Server.ts"
import * as MemoryLedger from "../../src/ledger/MemoryLedger.ts"
import { api, engine } from "../../src/main.ts"
import { catalog } from "../../streams/catalog.ts"
import { configuration as ordinary, ports, type WorldOptions } from "../simulation/World.ts"

/** Two entities, so that rights on one are not rights on the other. */
export const configuration = {
  ...ordinary,
  entities: {
    ...ordinary.entities,
    uk01: { ...ordinary.entities.be01, company: 4, currency: "GBP", taxes: { S21: "20%", S6: "5%" } },
  },
  http: { port: 0 },
  access: { callsPerMinute: 1_000_000 },
}

export class Address extends Context.Service<Address, string>()("test/operate/Address") {}

export interface OfficeOptions extends WorldOptions {
  /** What stands in `weir.json`; may change while the service runs. Default: `configuration`, for ever. */
  readonly file?: { now: unknown }
}

/** The service, with the handles of its ports, for the scope. */
export const office = (options: OfficeOptions = {}) => {
  const world = ports(options)
  const { file = { now: options.configuration ?? configuration } } = options
  const load = Effect.suspend(() => check("weir.json", file.now, {})).pipe(
    Effect.map(({ configuration }) => ({ configuration, file: "weir.json" })),
  )
  const service = Layer.unwrap(Effect.gen(function* () {
    const loaded = yield* Effect.orDie(load)
    const live = yield* follow(loaded, loaded.configuration, load)
    return api(loaded.configuration).pipe(Layer.provideMerge(engine(live, options.flows ?? catalog)))
  }))
  return {
    standIn: world.standIn,
    layer: Layer.effect(Address, address).pipe(Layer.provideMerge(service), Layer.provideMerge(world.layer)),
  }
}

export interface Asked {
  readonly method?: string
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // deno-lint-ignore no-explicit-any
  readonly body: any
}

/** Sends a request to the API as a program would. A body makes it a POST. */
export const request = (path: string, { body, headers, method, token }: Asked = {}) =>
  Effect.gen(function* () {
    const base = yield* Address
    return yield* Effect.promise(async (): Promise<Answered> => {
      const response = await fetch(`${base}${path}`, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = /\/(?:problem\+)?json$/u.test(response.headers.get("content-type")?.split(";")[0] ?? "")
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
    })
  })

export interface Said {
  /** As the shell sees it. */
  readonly code: number
  readonly stdout: string
  readonly message: string
}

const run = Command.runWith(cli, { version: "test", renderErrors: false })

/** Runs `weir` against the service, as a person would on this machine or, with a token, from elsewhere. */
export const weir = (args: ReadonlyArray<string>, { token }: { readonly token?: string } = {}) =>
  Effect.gen(function* () {
    const url = yield* Address
    return yield* command(["--url", url, ...args], token === undefined ? {} : { WEIR_TOKEN: token })
  })

/** Runs `weir` with nothing but what is given. */
export const command = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
): Effect.Effect<Said> =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(run(args))
    const stdout = (yield* TestConsole.logLines).join("\n")
    if (Exit.isSuccess(exit)) return { code: 0, stdout, message: "" }
    const error = Option.getOrNull(Exit.findErrorOption(exit))
    return error instanceof CommandFailed
      ? { code: error.exit, stdout, message: error.message }
      : { code: 2, stdout, message: String(error) }
  }).pipe(
    Effect.provideService(Environment, environment),
    Effect.provide([NodeServices.layer, TestConsole.layer]),
    Effect.orDie,
  )

/** A token for `owner`, as an administrator of this machine makes it. */
export const tokenFor = (owner: string, roles: ReadonlyArray<string>, entities?: ReadonlyArray<string>) =>
  Effect.map(
    request("/v1/tokens", { body: { owner, roles, ...(entities === undefined ? {} : { entities }) } }),
    ({ body, status }) => {
      assert.strictEqual(status, 201, JSON.stringify(body))
      return body.token as string
    },
  )

export type Office = Layer.Success<ReturnType<typeof office>["layer"]>
export type Inside<A> = Effect.Effect<A, unknown, Office | Scope.Scope>

/** The memory ledger's handle. */
export const inspect = MemoryLedger.MemoryLedger.use((handle) => handle.inspect)
