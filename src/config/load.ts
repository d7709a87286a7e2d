/** From `weir.json` and the environment to one checked configuration, or to the list of everything that is wrong. */
import { Context, Effect, Layer, Result, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { isTimeZone } from "../actor/close/calendar.ts"
import { Configuration, File, type Settings } from "./Configuration.ts"
import { overlay } from "./environment.ts"
import { ConfigurationInvalid, type Problem, problemsOf } from "./Problem.ts"
import { Environment } from "./Secret.ts"

/** Read when neither `--config` nor `WEIR_CONFIG` names a file; it may be missing, then defaults and variables count. */
export const DEFAULT_FILE = "weir.json"

export interface Loaded {
  readonly configuration: Settings
  /** The file that was read, null without one. */
  readonly file: string | null
  /** `WEIR_` variables that mean no field: perhaps misspelt. */
  readonly unknownVariables: ReadonlyArray<string>
}

const invalid = (source: string, ...problems: ReadonlyArray<Problem>) => new ConfigurationInvalid({ source, problems })

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** The file's text; null when it is missing and need not be there. */
const read = (path: string, required: boolean): Effect.Effect<string | null, ConfigurationInvalid> =>
  Effect.tryPromise(() => readFile(path, "utf8")).pipe(
    Effect.catch(({ cause }) =>
      isMissing(cause) && !required ? Effect.succeed(null) : invalid(path, {
        path: "",
        found: isMissing(cause) ? "no file" : "a file that cannot be read",
        expected: "a readable JSON file",
      })
    ),
  )

const parse = (path: string, text: string): Effect.Effect<unknown, ConfigurationInvalid> =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    // The parser's message quotes the text, and with it perhaps a secret.
    catch: () => invalid(path, { path: "", found: "text that is not JSON", expected: "one JSON object" }),
  })

const fieldsOf = (value: unknown): ReadonlyArray<readonly [string, unknown]> =>
  typeof value === "object" && value !== null ? Object.entries(value) : []

const field = (value: unknown, name: string): unknown => new Map(fieldsOf(value)).get(name)

const itemsOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** What the fields of a close calendar cannot tell each. */
const closeChecks = (path: string, close: unknown): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const timeZone = field(close, "timeZone")
  if (typeof timeZone === "string" && !isTimeZone(timeZone)) {
    problems.push({
      path: `${path}.timeZone`,
      found: "a zone that this machine does not know",
      expected: "an IANA time zone like Europe/Brussels",
    })
  }
  if (itemsOf(field(close, "days")).includes(0)) {
    problems.push({ path: `${path}.days`, found: "day 0", expected: "days from 1, or from the end: -1 is the last" })
  }
  itemsOf(field(close, "ranges")).forEach((range, index) => {
    const [from, to] = [field(range, "from"), field(range, "to")]
    if (typeof from === "string" && typeof to === "string" && to < from) {
      problems.push({
        path: `${path}.ranges.${index}`,
        found: "to before from",
        expected: "the last day behind the first",
      })
    }
  })
  return problems
}

/** Names of the flows that there are; null: not known here, and not checked. */
export const FlowNames = Context.Reference<ReadonlyArray<string> | null>("weir/config/FlowNames", {
  defaultValue: () => null,
})

/** What no single field can tell. On raw values, so that it is told together with the fields' own problems. */
const crossChecks = (values: unknown, flowNames: ReadonlyArray<string> | null): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const databases = fieldsOf(field(values, "databases")).map(([name]) => name)
  const owners = new Map<string, string>()
  for (const [code, entity] of fieldsOf(field(values, "entities"))) {
    const database = field(entity, "database")
    if (typeof database === "string" && database !== "" && !databases.includes(database)) {
      problems.push({
        path: `entities.${code}.database`,
        found: "a name that databases does not have",
        expected: databases.length === 0 ? "a name in databases, which is empty" : `one of ${databases.join(", ")}`,
      })
    }
    problems.push(...closeChecks(`entities.${code}.close`, field(entity, "close")))
    itemsOf(field(entity, "flows")).forEach((flow, index) => {
      if (flowNames === null || typeof flow !== "string" || flow === "" || flowNames.includes(flow)) return
      problems.push({
        path: `entities.${code}.flows.${index}`,
        found: "a flow that there is not",
        expected: `one of ${flowNames.join(", ")}`,
      })
    })
    const cutover = field(entity, "cutover")
    for (const [flow] of fieldsOf(field(cutover, "from"))) {
      if (flowNames === null || flowNames.includes(flow)) continue
      problems.push({
        path: `entities.${code}.cutover.from.${flow}`,
        found: "a flow that there is not",
        expected: `one of ${flowNames.join(", ")}`,
      })
    }
    const roles = fieldsOf(field(entity, "journals")).map(([role]) => role)
    for (const [role] of fieldsOf(field(cutover, "journals"))) {
      if (roles.includes(role)) continue
      problems.push({
        path: `entities.${code}.cutover.journals.${role}`,
        found: "a role that journals does not have",
        expected: `one of ${roles.join(", ")}`,
      })
    }
    const company = `${database}#${field(entity, "company")}`
    const owner = owners.get(company)
    if (owner === undefined) owners.set(company, code)
    else if (typeof field(entity, "company") === "number") {
      problems.push({
        path: `entities.${code}.company`,
        found: `the company of entities.${owner}`,
        expected: "a company that no other entity of the database has",
      })
    }
  }
  const nats = field(values, "nats")
  if ((field(nats, "user") === undefined) !== (field(nats, "password") === undefined)) {
    problems.push({ path: "nats", found: "only one of user and password", expected: "both or none" })
  }
  if (field(values, "cluster") !== undefined) {
    for (const server of ["nats", "postgres"]) {
      if (field(values, server) === undefined) {
        problems.push({ path: server, found: "nothing", expected: "the server that all runners of the cluster share" })
      }
    }
  }
  return problems
}

const decode = Schema.decodeUnknownEffect(File, { errors: "all", onExcessProperty: "error" })

/** Checks `file` (parsed JSON) with `environment` over it. Pure: starts and reads nothing. */
export const check = (
  source: string,
  file: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Effect.Effect<Pick<Loaded, "configuration" | "unknownVariables">, ConfigurationInvalid> =>
  Effect.gen(function* () {
    const { origins, unknown, values } = overlay(file, environment)
    const decoded = yield* Effect.result(decode(values))
    const problems = [
      ...(Result.isFailure(decoded) ? problemsOf(decoded.failure.issue, values, origins) : []),
      ...crossChecks(values, yield* FlowNames),
    ]
    if (Result.isFailure(decoded) || problems.length > 0) return yield* invalid(source, ...problems)
    const configuration = decoded.success
    return { configuration, unknownVariables: unknown }
  })

/** The file that counts, and its text: null when there is none and need not be. */
export const source = (
  path?: string,
): Effect.Effect<{ readonly file: string; readonly text: string | null }, ConfigurationInvalid> =>
  Effect.gen(function* () {
    const named = path ?? (yield* Environment)["WEIR_CONFIG"]
    const file = named ?? DEFAULT_FILE
    return { file, text: yield* read(file, named !== undefined) }
  })

/** Reads `path`, else the file that `WEIR_CONFIG` names, else `weir.json` if there is one. */
export const load = (path?: string): Effect.Effect<Loaded, ConfigurationInvalid> =>
  Effect.gen(function* () {
    const environment = yield* Environment
    const { file, text } = yield* source(path)
    const values = text === null ? {} : yield* parse(file, text)
    const origin = text === null ? "the environment" : file
    return { ...(yield* check(origin, values, environment)), file: text === null ? null : file }
  })

/** The configuration as a service, from `path` or the usual places. */
export const layer = (path?: string): Layer.Layer<Configuration, ConfigurationInvalid> =>
  Layer.effect(Configuration, Effect.map(load(path), ({ configuration }) => configuration))
