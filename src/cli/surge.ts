/** `weir surge`: a scenario at pace onto a broker, with faults on schedule, and a verdict. */
import { Console, Duration, Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { load } from "../../fixtures/scenario.ts"
import { Environment } from "../config/Secret.ts"
import * as Logging from "../telemetry/Logging.ts"
import { CommandFailed, exitCodes } from "./Failure.ts"
import { scenarioFolder } from "./fixture/folder.ts"
import { jsonFlag, loaded } from "./root.ts"
import { compare, renderComparison } from "./surge/compare.ts"
import { configured } from "./surge/configured.ts"
import { Display } from "./surge/Display.ts"
import { FaultSchedule } from "./surge/FaultSchedule.ts"
import { lab } from "./surge/lab.ts"
import { defaults, Objectives } from "./surge/Objectives.ts"
import { page } from "./surge/page/page.ts"
import type { Speed } from "./surge/replay.ts"
import { SurgeReport } from "./surge/Report.ts"
import { surge as run } from "./surge/run.ts"
import { readJson, Span } from "./surge/Span.ts"
import { summary } from "./surge/summary.ts"
import { paintFor } from "./table.ts"

const SHOW_MILLIS = { terminal: 500, plain: 5_000 }
const HOUR = 3_600_000

const usage = (message: string) => new CommandFailed({ exit: exitCodes.usage, message })

const speedOf = (text: string): Result.Result<Speed, string> => {
  if (text === "max") return Result.succeed("max")
  const times = Number(text)
  return times > 0 && Number.isFinite(times)
    ? Result.succeed(times)
    : Result.fail("--speed is a number above 0, or max")
}

/** `peak`, or hours of the scenario. */
const momentOf = (text: string, peakMillis: number | undefined): Result.Result<number, string> => {
  if (text === "peak") {
    return peakMillis === undefined
      ? Result.fail("this scenario does not say when its peak is")
      : Result.succeed(peakMillis)
  }
  const hours = Number(text)
  return hours >= 0 && Number.isFinite(hours)
    ? Result.succeed(Math.round(hours * HOUR))
    : Result.fail("--from and --until are hours of the scenario, or peak")
}

const demanded = <A>(result: Result.Result<A, string>): Effect.Effect<A, CommandFailed> =>
  Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(usage(result.failure))

const flags = {
  names: Argument.String("scenario").pipe(
    Argument.withDescription(
      "A folder made by weir fixture, or the name of a scenario (weir fixture make --help). With --compare: two reports",
    ),
    Argument.variadic({ min: 1, max: 2 }),
  ),
  compare: Flag.Boolean("compare").pipe(
    Flag.withDescription("Run nothing: show two report.json side by side; --out makes a page of them, too"),
    Flag.withDefault(false),
  ),
  speed: Flag.String("speed").pipe(
    Flag.withDescription("1: at the scenario's own pace. 60: a minute a second. max: as fast as the broker takes it"),
    Flag.withDefault("1"),
  ),
  from: Flag.String("from").pipe(
    Flag.withDescription("Hour of the scenario at which the pace begins, or peak: its busiest hour. Default: 0"),
    Flag.withDefault("0"),
  ),
  until: Flag.String("until").pipe(
    Flag.withDescription("Hour of the scenario at which the pace ends; what is left follows at once"),
    Flag.optional,
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Seed of a scenario that is made"), Flag.withDefault(1)),
  faults: Flag.String("faults").pipe(
    Flag.withDescription("File with the faults that happen and when (docs/surge.md)"),
    Flag.optional,
  ),
  objectives: Flag.String("objectives").pipe(
    Flag.withDescription("File with what must be kept to (docs/surge.md). Default: the built-in objectives"),
    Flag.optional,
  ),
  configured: Flag.Boolean("configured").pipe(
    Flag.withDescription(
      "Onto broker, service and Odoo of the configuration, instead of servers of its own. It writes there!",
    ),
    Flag.withDefault(false),
  ),
  odooWorkers: Flag.Int("odoo-workers").pipe(
    Flag.withDescription("Workers of the stand-in Odoo"),
    Flag.withDefault(4),
  ),
  odooShare: Flag.Finite("odoo-share").pipe(
    Flag.withDescription("Part of them that Weir may keep busy, above 0, at most 1"),
    Flag.withDefault(0.5),
  ),
  odooLatency: Flag.Finite("odoo-latency").pipe(
    Flag.withDescription("Milliseconds of a real Odoo times this; 0.1: ten times as fast"),
    Flag.withDefault(1),
  ),
  patience: Flag.String("patience").pipe(
    Flag.withSchema(Span),
    Flag.withDescription("Given up when nothing was settled for so long. Default: 5 minutes"),
    Flag.withDefault(Duration.minutes(5)),
  ),
  out: Flag.String("out").pipe(
    Flag.withDescription("Folder for report.json and report.html. Default: .weir/surge/<scenario>-<time>"),
    Flag.optional,
  ),
  json: jsonFlag,
}

const save = (folder: string, files: Readonly<Record<string, string>>) =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(folder, { recursive: true })
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    },
    catch: (cause) =>
      new CommandFailed({ exit: exitCodes.failure, message: `Cannot write to ${folder}: ${String(cause)}` }),
  })

/** Two reports as a table, and as a page. */
const sideBySide = Effect.fnUntraced(
  function* (first: string, second: string | undefined, out: Option.Option<string>, json: boolean) {
    if (second === undefined) return yield* usage("--compare needs two files: weir surge --compare a.json b.json")
    const [a, b] = [yield* readJson(first, SurgeReport), yield* readJson(second, SurgeReport)]
    const paint = paintFor(process.stdout.isTTY === true, (yield* Environment)["NO_COLOR"])
    yield* Console.log(json ? JSON.stringify(compare(a, b)) : renderComparison(a, b, paint))
    if (Option.isNone(out)) return
    yield* save(out.value, { "compare.html": page([a, b]) })
    yield* Console.error(join(out.value, "compare.html"))
  },
)

export const surge = Command.make(
  "surge",
  flags,
  Effect.fnUntraced(function* (given) {
    const [name = "", other] = given.names
    if (given.compare) return yield* sideBySide(name, other, given.out, given.json)
    if (other !== undefined) return yield* usage("One scenario at a time; two names are for --compare.")
    const speed = yield* demanded(speedOf(given.speed))
    if (given.odooWorkers < 1) return yield* usage("--odoo-workers must be 1 or more")
    if (!(given.odooShare > 0 && given.odooShare <= 1)) return yield* usage("--odoo-share must be above 0, at most 1")
    if (!(given.odooLatency >= 0)) return yield* usage("--odoo-latency must be 0 or more")
    const faults = Option.isSome(given.faults) ? (yield* readJson(given.faults.value, FaultSchedule)).faults : []
    const objectives = Option.isSome(given.objectives) ? yield* readJson(given.objectives.value, Objectives) : defaults
    if (given.configured && faults.length > 0) {
      return yield* usage("--faults strikes servers that the lab has started itself: leave out --configured.")
    }
    const scenario = yield* load(yield* scenarioFolder(name, given.seed))
    const peak = scenario.expected.peak?.at
    const fromMillis = yield* demanded(momentOf(given.from, peak))
    const untilMillis = Option.isSome(given.until) ? yield* demanded(momentOf(given.until.value, peak)) : undefined
    const terminal = process.stderr.isTTY === true && !given.json
    const environment = yield* Environment
    const report = yield* Effect.gen(function* () {
      if (!given.json) {
        yield* Console.error(given.configured ? "connecting" : "starting NATS, PostgreSQL, a stand-in Odoo and weir")
      }
      const target = given.configured ? yield* configured((yield* loaded).configuration, scenario) : yield* lab({
        scenario,
        workers: given.odooWorkers,
        share: given.odooShare,
        latency: given.odooLatency,
      })
      return yield* run({
        scenario,
        target,
        speed,
        fromMillis,
        ...untilMillis !== undefined && { untilMillis },
        faults,
        objectives,
        patienceMillis: Duration.toMillis(given.patience),
        display: new Display(terminal, paintFor(terminal, environment["NO_COLOR"])),
        showEveryMillis: terminal ? SHOW_MILLIS.terminal : SHOW_MILLIS.plain,
      })
    }).pipe(Effect.scoped, Effect.provide(Logging.layer({ level: "Error" })))
    const stamp = report.startedAt.slice(0, 19).replaceAll(":", "").replace("T", "-")
    const folder = Option.getOrElse(given.out, () => join(".weir", "surge", `${report.scenario.name}-${stamp}`))
    yield* save(folder, { "report.json": `${JSON.stringify(report)}\n`, "report.html": page([report]) })
    const paint = paintFor(process.stdout.isTTY === true, environment["NO_COLOR"])
    yield* Console.log(given.json ? JSON.stringify({ folder, ...report }) : summary(report, paint))
    if (!given.json) yield* Console.error(`\n${join(folder, "report.html")}`)
    if (!report.met) {
      const missed = report.objectives.filter(({ met }) => !met).length
      return yield* new CommandFailed({
        exit: exitCodes.failure,
        message: missed === 1 ? "1 objective was missed." : `${missed} objectives were missed.`,
      })
    }
  }),
).pipe(
  Command.withDescription(
    "Replay a scenario at its own pace or faster, with faults on schedule, and judge it against objectives",
  ),
  Command.withExamples([
    {
      command: "weir surge month-end-500 --from peak --speed 1",
      description: "the busiest hour of a month-end, as it comes",
    },
    { command: "weir surge bad-month --speed max", description: "a whole bad month at once" },
    { command: "weir surge month-end-50 --speed 5000 --faults faults.json", description: "with trouble" },
    { command: "weir surge --compare before/report.json after/report.json", description: "what has changed" },
  ]),
)
