/**
 * Traces in OpenTelemetry, configured by the standard `OTEL_*` variables. Without an OTLP endpoint nothing is loaded and
 * nothing is done: `eventSpans` then hands back the effect it was given.
 *
 *     publisher's trace ── weir.event (one per event, parent = its traceparent, links to the batch)
 *     weir.batch (links to the events' traces) ── calls to Odoo, statements of the ledger
 *
 * Spans carry business identifiers (entity, flow, key, correlation id), never payloads.
 */
import { Clock, Context, Effect, Layer, Option, type Tracer } from "effect"
import { Headers, HttpTraceContext } from "effect/http"
import { Environment } from "../config/Secret.ts"
import { VERSION } from "../config/version.ts"

/** Whether spans are made. */
export const TracingEnabled = Context.Reference<boolean>("weir/telemetry/TracingEnabled", { defaultValue: () => false })

/** Longest wait for the last spans to be sent at shutdown. */
const SHUTDOWN_TIMEOUT = "3 seconds"

/** What a span tells about an event. */
export interface TracedEvent {
  readonly eventId: string
  readonly type: string
  readonly key: string
  readonly streamSequence: number
  readonly correlationId: string | null
  /** W3C `traceparent` as it came with the event, null without one. */
  readonly traceparent: string | null
}

export interface TracedBatch {
  readonly entity: string
  readonly flow: string
  readonly events: ReadonlyArray<TracedEvent>
}

const parentOf = ({ traceparent }: TracedEvent): Option.Option<Tracer.ExternalSpan> =>
  traceparent === null ? Option.none() : HttpTraceContext.w3c(Headers.fromInput({ traceparent }))

const attributesOf = ({ entity, flow }: TracedBatch, event: TracedEvent): Record<string, unknown> => ({
  "messaging.system": "nats",
  "messaging.message.id": event.eventId,
  "weir.entity": entity,
  "weir.flow": flow,
  "weir.event.type": event.type,
  "weir.key": event.key,
  "weir.stream_sequence": event.streamSequence,
  ...(event.correlationId === null ? {} : { "weir.correlation_id": event.correlationId }),
})

const traced = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  batch: TracedBatch,
  outcomeOf: (eventId: string) => string | undefined,
): Effect.Effect<A, E, R> => {
  const parents = batch.events.map(parentOf)
  const links = parents.flatMap((parent) => Option.isSome(parent) ? [{ span: parent.value, attributes: {} }] : [])
  return Effect.useSpan("weir.batch", {
    kind: "consumer",
    root: true,
    links,
    attributes: {
      "weir.entity": batch.entity,
      "weir.flow": batch.flow,
      "messaging.batch.message_count": parents.length,
    },
  }, (batchSpan) =>
    Effect.gen(function* () {
      const spans = yield* Effect.forEach(batch.events, (event, index) => {
        const parent = parents[index] ?? Option.none()
        return Effect.makeSpan("weir.event", {
          kind: "consumer",
          attributes: attributesOf(batch, event),
          links: [{ span: batchSpan, attributes: {} }],
          ...(Option.isSome(parent) ? { parent: parent.value } : { root: true }),
        })
      })
      // Not `Effect.exit`: an interrupted batch ends its spans too.
      return yield* Effect.withParentSpan(self, batchSpan).pipe(Effect.onExit((exit) =>
        Effect.map(Clock.currentTimeNanos, (now) => {
          for (const [index, span] of spans.entries()) {
            const outcome = outcomeOf(batch.events[index]?.eventId ?? "")
            if (outcome !== undefined) span.attribute("weir.outcome", outcome)
            span.end(now, exit)
          }
        })
      ))
    }))
}

/**
 * Runs a batch inside a span of its own, with one span per event that continues the event's trace. `outcomeOf` is asked
 * at the end, per event id. When tracing is off: one look at a reference.
 */
export const eventSpans =
  (batch: () => TracedBatch, outcomeOf: (eventId: string) => string | undefined = () => undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(TracingEnabled, (enabled) => enabled ? traced(self, batch(), outcomeOf) : self)

type Variables = Readonly<Record<string, string | undefined>>

const isSet = (text: string | undefined): boolean => text !== undefined && text !== ""

/** Where spans and metrics go, as the standard variables say: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export const signalsOf = (variables: Variables): { readonly traces: boolean; readonly metrics: boolean } => {
  const on = variables["OTEL_SDK_DISABLED"]?.toLowerCase() !== "true"
  const endpoint = isSet(variables["OTEL_EXPORTER_OTLP_ENDPOINT"])
  const sent = (signal: "TRACES" | "METRICS") =>
    on && variables[`OTEL_${signal}_EXPORTER`] !== "none" &&
    (endpoint || isSet(variables[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]))
  return { traces: sent("TRACES"), metrics: sent("METRICS") }
}

const sdk = async (variables: Variables) => {
  const signals = signalsOf(variables)
  const NodeSdk = await import("@effect/opentelemetry/NodeSdk")
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace-base")
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http")
  const { PeriodicExportingMetricReader } = await import("@opentelemetry/sdk-metrics")
  const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-http")
  return NodeSdk.layer(() => ({
    resource: { serviceName: variables["OTEL_SERVICE_NAME"] ?? "weir", serviceVersion: VERSION },
    shutdownTimeout: SHUTDOWN_TIMEOUT,
    ...(signals.traces ? { spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter()) } : {}),
    ...(signals.metrics
      ? { metricReader: new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() }) }
      : {}),
  })).pipe(Layer.provideMerge(Layer.succeed(TracingEnabled, signals.traces)), Layer.orDie)
}

/** OpenTelemetry when the environment names an OTLP endpoint; otherwise nothing, and nothing is loaded. */
export const layer: Layer.Layer<never> = Layer.unwrap(Effect.gen(function* () {
  const variables = yield* Environment
  const { metrics, traces } = signalsOf(variables)
  return traces || metrics ? yield* Effect.promise(() => sdk(variables)) : Layer.empty
}))
