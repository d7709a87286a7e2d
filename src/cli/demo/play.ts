/** Publishes a scenario and watches until every event has its outcome. */
import { Clock, Console, Effect, Stream } from "effect"
import { compare, type Figure, progress, publications, type Scenario } from "../../../fixtures/scenario.ts"
import { catalog } from "../../../streams/catalog.ts"
import { Broker } from "../../broker/Broker.ts"
import { CommandFailed, exitCodes } from "../Failure.ts"

/** Messages published between two confirmations. */
const BATCH = 500
const LOOK_EVERY = "250 millis"
/** Looks without change after which the demo gives up. */
const PATIENCE = 1_000
/** Plain lines, when there is no terminal, come this many looks apart. */
const LINE_EVERY = 8

/** Publishes the scenario for the `round`th time and counts its events per entity and flow. */
export const publishAll = Effect.fnUntraced(function* (scenario: Scenario, round: number) {
  const broker = yield* Broker
  const domains = new Map(catalog.map(({ domain, name }) => [domain, name]))
  const published = new Map<string, number>()
  yield* Stream.fromAsyncIterable(
    publications(scenario),
    (cause) => new CommandFailed({ exit: exitCodes.failure, message: String(cause) }),
  ).pipe(
    Stream.grouped(BATCH),
    Stream.runForEach((batch) => {
      for (const { subject } of batch) {
        const [, entity = "", domain = ""] = subject.split(".")
        const flow = domains.get(domain)
        const name = flow !== undefined && entity in scenario.expected.entities ? `${entity}/${flow}` : "_unrouted/"
        published.set(name, (published.get(name) ?? 0) + 1)
      }
      return broker.publish(batch.map((event) => ({ ...event, messageId: `${event.messageId}/${round}` })))
    }),
  )
  return published
})

/** Waits until every event has an outcome, with a live line on a terminal and plain lines elsewhere. */
export const untilSettled = Effect.fnUntraced(function* (total: number, say: boolean) {
  const terminal = process.stderr.isTTY === true
  const started = yield* Clock.currentTimeMillis
  let [last, still] = [-1, 0]
  for (let look = 0;; look++) {
    const { held, settled: done } = yield* progress
    const seconds = ((yield* Clock.currentTimeMillis) - started) / 1_000
    const rate = Math.round((done - held) / Math.max(seconds, 0.001))
    const line = `${done - held} of ${total} events done, ${held} wait or are exceptions, ${rate} a second`
    if (say && terminal) process.stderr.write(`\r\u001b[K${line}${done >= total ? "\n" : ""}`)
    else if (say && (look % LINE_EVERY === 0 || done >= total)) yield* Console.error(line)
    if (done >= total) return { seconds, done }
    still = done === last ? still + 1 : 0
    last = done
    if (still >= PATIENCE) {
      return yield* new CommandFailed({
        exit: exitCodes.failure,
        message:
          `Nothing has moved for four minutes at ${done} of ${total} events. The log above says what it waits for.`,
      })
    }
    yield* Effect.sleep(LOOK_EVERY)
  }
})

/** Publishes the same events again, under new message ids, and answers how many figures in Odoo changed: none may. */
export const publishAgain = Effect.fnUntraced(function* (
  scenario: Scenario,
  before: ReadonlyArray<Figure>,
  say: boolean,
) {
  yield* publishAll(scenario, 2)
  yield* untilSettled(2 * scenario.expected.events, say)
  const inOdoo = (figures: ReadonlyArray<Figure>) =>
    figures.filter(({ what }) => what.startsWith("odoo ")).map(({ actual }) => actual)
  const [then, now] = [inOdoo(before), inOdoo(yield* compare(scenario))]
  return { compared: then.length, changed: then.filter((figure, index) => figure !== now[index]).length }
})
