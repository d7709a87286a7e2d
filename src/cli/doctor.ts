/** `weir doctor`: is everything there that Weir needs, and what is to be done if not. */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { Environment } from "../config/Secret.ts"
import type { Loaded } from "../config/load.ts"
import { odoo } from "../main.ts"
import { archiveFindings } from "./checkArchive.ts"
import { odooFindings } from "./checkOdoo.ts"
import { serverFindings } from "./checkServers.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { type Finding, ok, renderFindings, warn } from "./findings.ts"
import { heapLimitMiB, heapProblem } from "./heap.ts"
import { jsonFlag, loaded } from "./root.ts"
import { paintFor } from "./table.ts"

/** What the configuration alone tells. It was checked when it was read. */
export const configurationFindings = (
  { configuration, file, unknownVariables }: Loaded,
  limitMiB = heapLimitMiB(),
): ReadonlyArray<Finding> => {
  const heap = heapProblem(configuration, limitMiB)
  const { databases, entities, http } = configuration
  const unused = Object.keys(databases).filter((name) =>
    !Object.values(entities).some(({ database }) => database === name)
  )
  /** Entities that take over what another system has made, by the database that they live in. */
  const takingOver = Map.groupBy(
    Object.entries(entities).filter(([, { cutover }]) => Object.keys(cutover?.from ?? {}).length > 0),
    ([, { database }]) => database,
  )
  const local = ["127.0.0.1", "::1", "localhost"].includes(http.host)
  return [
    ok("configuration", "file", file ?? "none: defaults and environment variables"),
    Object.keys(entities).length === 0
      ? warn("configuration", "entities", "none", "Add a legal entity to entities.")
      : ok("configuration", "entities", Object.keys(entities).join(", ")),
    ...unused.map((name) =>
      warn("configuration", "databases", `no entity lives in ${name}`, `Remove databases.${name}, or use it.`)
    ),
    ...Object.entries(databases).flatMap(([name, { adoption }]): ReadonlyArray<Finding> => {
      const own = (takingOver.get(name) ?? []).map(([code]) => code).join(", ")
      if (own !== "" && adoption === undefined) {
        const found = `${own}: what another system has made cannot be taken over, ${name} has no key for it`
        return [warn("configuration", "cutover", found, `Add adoption to databases.${name} (docs/shadow.md).`)]
      }
      return own === "" && adoption !== undefined
        ? [warn("configuration", "cutover", `nothing is taken over in ${name}`, `Remove databases.${name}.adoption.`)]
        : []
    }),
    ...unknownVariables.map((variable) =>
      warn("configuration", "variables", `${variable} means no field`, "Correct its name, or unset it.")
    ),
    ...(heap === null ? [] : [warn("configuration", "heap", heap.detail, heap.action)]),
    ...(local ? [] : [
      warn(
        "configuration",
        "http",
        `listens on ${http.host}, in plain HTTP`,
        "Set http.host to 127.0.0.1, or put a proxy with TLS in front: tokens travel on it.",
      ),
    ]),
  ]
}

export const doctor = Command.make(
  "doctor",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    const all = yield* loaded
    const { configuration } = all
    const [servers, odoos] = yield* Effect.all([
      serverFindings(configuration),
      odooFindings(configuration).pipe(Effect.provide(odoo(configuration))),
    ], { concurrency: 2 })
    const findings = [...configurationFindings(all), ...yield* archiveFindings(configuration), ...servers, ...odoos]
    const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
    yield* Console.log(json ? JSON.stringify({ findings }) : renderFindings(findings, paint))
    const failed = findings.filter(({ level }) => level === "fail").length
    if (failed > 0) {
      return yield* new CommandFailed({ exit: exitCodes.checkFailed, message: `${failed} checks failed.` })
    }
  }),
).pipe(
  Command.withDescription("Check configuration, broker, ledger, every Odoo database and every legal entity"),
)
