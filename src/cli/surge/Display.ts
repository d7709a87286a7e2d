/** What a surge shows of itself while it runs: a few lines that are drawn anew on a terminal, plain lines elsewhere. */
import { Console, Effect } from "effect"
import type { StatusRow } from "../../operate/StatusReport.ts"
import type { Paint } from "../table.ts"
import type { Watch } from "./watch.ts"

/** What there is to show now. */
export interface View {
  /** Since the beginning of the surge. */
  readonly atMillis: number
  /** Of the scenario. */
  readonly events: number
  readonly published: number
  readonly settled: number
  readonly watch: Pick<Watch, "rows" | "samples">
  /** Faults that last now. */
  readonly lasting: ReadonlyArray<string>
}

interface Scene extends View {
  readonly publishedPerSecond: number
  readonly settledPerSecond: number
  readonly rows: ReadonlyArray<StatusRow>
  readonly calls: number | null
  readonly limit: number | null
  readonly userMillis: number | null
}

const WIDTH = 32

const bar = (part: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * WIDTH)
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)}`
}

const number = (value: number | null, unit = ""): string => value === null ? "-" : `${value.toFixed(0)}${unit}`

const clock = (seconds: number): string =>
  `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`

/** Entities by mode: `full 3, hold 1`; what is not running is said. */
const modes = (rows: ReadonlyArray<StatusRow>): string => {
  if (rows.length === 0) return "weir does not answer"
  const byMode = Map.groupBy(new Map(rows.map(({ entity, mode }) => [entity, mode])), ([, mode]) => mode)
  const troubled = new Set(rows.filter(({ state }) => state === "troubled").map(({ entity }) => entity))
  return [
    ...[...byMode].map(([mode, entities]) => `${mode} ${entities.length}`),
    ...troubled.size === 0 ? [] : [`troubled ${[...troubled].slice(0, 4).join(" ")}`],
  ].join(", ")
}

/** One line for logs. */
export const plainLine = (scene: Scene): string =>
  [
    clock(scene.atMillis / 1_000),
    `published ${scene.published} of ${scene.events} (${number(scene.publishedPerSecond)}/s)`,
    `settled ${scene.settled} (${number(scene.settledPerSecond)}/s)`,
    `backlog ${Math.max(0, scene.published - scene.settled)}`,
    `calls ${scene.calls === null ? "-" : scene.calls.toFixed(1)} of ${number(scene.limit)}`,
    ...scene.userMillis === null ? [] : [`person ${number(scene.userMillis, " ms")}`],
    modes(scene.rows),
    ...scene.lasting.map((fault) => `FAULT ${fault}`),
  ].join("  ")

/** Several lines for a screen. */
export const screen = (scene: Scene, paint: Paint): ReadonlyArray<string> => {
  const line = (name: string, done: number, rate: number) =>
    `${name.padEnd(10)}${bar(done / Math.max(1, scene.events))} ${String(done).padStart(8)} of ${scene.events}  ` +
    paint(`${number(rate)}/s`, "dim")
  const backlog = Math.max(0, scene.published - scene.settled)
  return [
    `${clock(scene.atMillis / 1_000)}  ${
      paint(modes(scene.rows), scene.rows.some(({ mode }) => mode !== "full") ? "yellow" : "green")
    }` +
    scene.lasting.map((fault) => `  ${paint(fault, "red")}`).join(""),
    line("published", scene.published, scene.publishedPerSecond),
    line("settled", scene.settled, scene.settledPerSecond),
    `${"backlog".padEnd(10)}${String(backlog).padStart(WIDTH + 9)}`,
    `${"Odoo".padEnd(10)}${scene.calls === null ? "-" : scene.calls.toFixed(1)} calls at once, ${
      number(scene.limit)
    } allowed, a person waits ${number(scene.userMillis, " ms")}`,
  ]
}

/** Draws over what it drew before. */
export class Display {
  readonly #terminal: boolean
  readonly #paint: Paint
  #drawn = 0
  #last: Pick<View, "atMillis" | "published" | "settled"> = { atMillis: 0, published: 0, settled: 0 }

  constructor(terminal: boolean, paint: Paint) {
    this.#terminal = terminal
    this.#paint = paint
  }

  show(view: View): Effect.Effect<void> {
    const scene = this.#sceneOf(view)
    if (!this.#terminal) return Console.error(plainLine(scene))
    return Effect.sync(() => {
      const lines = screen(scene, this.#paint)
      // Up to the first line drawn before, and clear from there (ECMA-48 CUU, ED).
      const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\u001b[J`
      process.stderr.write(`${up}${lines.join("\n")}\n`)
      this.#drawn = lines.length
    })
  }

  /** With rates since the last time. */
  #sceneOf(view: View): Scene {
    const last = this.#last
    this.#last = view
    const seconds = Math.max(0.001, (view.atMillis - last.atMillis) / 1_000)
    const { rows, samples } = view.watch
    const sample = samples.at(-1)
    return {
      ...view,
      publishedPerSecond: Math.max(0, view.published - last.published) / seconds,
      settledPerSecond: Math.max(0, view.settled - last.settled) / seconds,
      rows,
      calls: sample?.busy ?? sample?.calls ?? null,
      limit: sample?.limit ?? null,
      userMillis: samples.findLast(({ userMillis }) => userMillis !== null)?.userMillis ?? null,
    }
  }
}
