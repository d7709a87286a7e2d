import { assert, describe, it } from "@effect/vitest"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Exit, Layer, Tracer } from "effect"
import { Environment } from "../../src/config/Secret.ts"
import { eventSpans, layer, signalsOf, type TracedBatch, TracingEnabled } from "../../src/telemetry/Tracing.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const batch: TracedBatch = {
  entity: "be01",
  flow: "invoices",
  events: [
    {
      eventId: "billing#1",
      type: "invoice.requested",
      key: "INV-1",
      streamSequence: 7,
      correlationId: "deal-42",
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
    {
      eventId: "billing#2",
      type: "invoice.requested",
      key: "INV-2",
      streamSequence: 8,
      correlationId: null,
      traceparent: "not a traceparent",
    },
  ],
}

describe("spans of a batch", () => {
  it.effect("continue the trace that an event came with, and name the event but never its payload", () =>
    Effect.gen(function* () {
      const exporter = new InMemorySpanExporter()
      const sdk = NodeSdk.layer(() => ({
        resource: { serviceName: "weir" },
        spanProcessor: new SimpleSpanProcessor(exporter),
      }))
      let finished: ReturnType<typeof exporter.getFinishedSpans> = []
      yield* Effect.void.pipe(
        Effect.withSpan("odoo.call"),
        eventSpans(() => batch, (id) => id === "billing#1" ? "applied" : "parked"),
        Effect.andThen(Effect.sync(() => finished = exporter.getFinishedSpans())),
        Effect.provide(sdk),
        Effect.provideService(TracingEnabled, true),
      )
      const events = finished.filter(({ name }) => name === "weir.event")
      assert.strictEqual(events.length, 2)
      const [first, second] = events
      assert.strictEqual(first?.spanContext().traceId, traceId)
      assert.strictEqual(first?.parentSpanContext?.spanId, "b7ad6b7169203331")
      assert.notStrictEqual(second?.spanContext().traceId, traceId)
      assert.deepStrictEqual(first?.attributes, {
        "messaging.system": "nats",
        "messaging.message.id": "billing#1",
        "weir.entity": "be01",
        "weir.flow": "invoices",
        "weir.event.type": "invoice.requested",
        "weir.key": "INV-1",
        "weir.stream_sequence": 7,
        "weir.correlation_id": "deal-42",
        "weir.outcome": "applied",
      })
      assert.strictEqual(second?.attributes["weir.outcome"], "parked")
      const whole = finished.find(({ name }) => name === "weir.batch")
      assert.deepStrictEqual(whole?.links.map(({ context }) => context.traceId), [traceId])
      const call = finished.find(({ name }) => name === "odoo.call")
      assert.strictEqual(call?.parentSpanContext?.spanId, whole?.spanContext().spanId)
    }))

  it.effect("end with the batch when it fails or is interrupted, and the failure passes through", () =>
    Effect.gen(function* () {
      let open = 0
      const counting = Tracer.make({
        span: (options) => {
          open++
          const span = Tracer.nativeTracer.span(options)
          const end = span.end.bind(span)
          span.end = (time, exit) => {
            open--
            end(time, exit)
          }
          return span
        },
      })
      const error = yield* Effect.fail("busy").pipe(
        eventSpans(() => batch),
        Effect.flip,
        Effect.provideService(Tracer.Tracer, counting),
        Effect.provideService(TracingEnabled, true),
      )
      assert.strictEqual(error, "busy")
      assert.strictEqual(open, 0)
      const interrupted = yield* Effect.interrupt.pipe(
        eventSpans(() => batch),
        Effect.exit,
        Effect.provideService(Tracer.Tracer, counting),
        Effect.provideService(TracingEnabled, true),
      )
      assert.isTrue(Exit.hasInterrupts(interrupted))
      assert.strictEqual(open, 0)
    }))

  it.effect("cost nothing when tracing is off: the batch is not even looked at", () =>
    Effect.gen(function* () {
      let looks = 0
      const value = yield* Effect.succeed(1).pipe(eventSpans(() => {
        looks++
        return batch
      }))
      assert.deepStrictEqual([value, looks], [1, 0])
    }))
})

describe("the standard variables", () => {
  it("decide what is sent", () => {
    assert.deepStrictEqual(signalsOf({}), { traces: false, metrics: false })
    assert.deepStrictEqual(signalsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" }), { traces: true, metrics: true })
    assert.deepStrictEqual(signalsOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318" }), {
      traces: true,
      metrics: false,
    })
    assert.deepStrictEqual(signalsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_TRACES_EXPORTER: "none" }), {
      traces: false,
      metrics: true,
    })
    assert.deepStrictEqual(signalsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_SDK_DISABLED: "true" }), {
      traces: false,
      metrics: false,
    })
  })

  it.effect("leave tracing off without an endpoint, and turn it on with one", () =>
    Effect.gen(function* () {
      const enabled = (variables: Record<string, string>) =>
        TracingEnabled.pipe(
          Effect.provide(layer.pipe(Layer.provide(Layer.succeed(Environment, variables)))),
        )
      assert.isFalse(yield* enabled({}))
      assert.isTrue(yield* enabled({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:9/v1/traces" }))
    }))
})
