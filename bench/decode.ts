/**
 * What the decode stage costs per event: `deno run -A bench/decode.ts`. Microseconds of CPU (garbage collection
 * included), medians of nine rounds, for each of its parts over the same time lines.
 */
import { Result, Schema } from "effect"
import process from "node:process"
import { Envelope } from "../schemas/envelope.ts"
import { TimesheetApproved } from "../schemas/timesheet.ts"
import { makeDecoder } from "../src/actor/decode.ts"
import { fingerprint } from "../src/actor/fingerprint.ts"
import type { Delivery } from "../src/broker/Broker.ts"
import { parseEnvelope } from "../src/broker/cloudevents.ts"
import { timesheets } from "../streams/timesheets.ts"
import { defaults, timeEvents } from "./month.ts"
import { format, median, option } from "./table.ts"

const events = option(process.argv, "events", 20_000)
const rounds = 9
const noop = () => {}

const deliveries = timeEvents(defaults, 0, events).map((publication, index): Delivery => ({
  ...publication,
  streamSequence: index + 1,
  storedAtMillis: 1_790_000_000_000,
  redelivered: false,
  ack: noop,
}))
const decoder = makeDecoder(timesheets)
const envelopeOf = Schema.decodeUnknownResult(Envelope)
const timesheetOf = Schema.decodeUnknownResult(TimesheetApproved, { errors: "all" })
const raws = deliveries.map((delivery) => Result.getOrThrow(parseEnvelope(delivery)))
const payloads = raws.map((raw) => Result.getOrThrow(envelopeOf(raw)).data)

/** Microseconds of CPU an event. */
const results: Record<string, number> = {}
const measured = (name: string, work: (index: number) => unknown): void => {
  const micros = Array.from({ length: rounds }, () => {
    const start = process.cpuUsage()
    for (let index = 0; index < events; index++) work(index)
    const { system, user } = process.cpuUsage(start)
    return (system + user) / events
  })
  results[name] = median(micros)
  console.log(`${name.padEnd(24)} ${format(median(micros), 2).padStart(7)} µs`)
}

measured("envelope out of bytes", (index) => parseEnvelope(deliveries[index]!))
measured("schema of the envelope", (index) => envelopeOf(raws[index]))
measured("schema of the payload", (index) => timesheetOf(payloads[index]))
measured("fingerprint", (index) => fingerprint(payloads[index]))
measured("the stage as a whole", (index) => decoder.delivery(deliveries[index]!))
console.log(JSON.stringify({ events, micros: results }))
