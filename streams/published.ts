/**
 * What publishers may rely on, as documents: the JSON Schema of every event's payload (`schemas/published/`) and the
 * catalogue of all events (`docs/asyncapi.json`). Made from what the flows decode with: `deno task events` writes them.
 */
import { Schema } from "effect"
import type { EventSpec, Flow } from "../src/flow/Flow.ts"
import { Envelope } from "../schemas/envelope.ts"
import { outgoing } from "./outgoing.ts"

const DIALECT = "https://json-schema.org/draft/2020-12/schema"

/** File name of an event's payload schema: `usage.recorded.v2.json`. */
export const fileOf = ({ type, version }: Pick<EventSpec<unknown>, "type" | "version">): string =>
  `${type}.v${version}.json`

const text = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`

const documentOf = (schema: Schema.Top, title: string) => {
  const { definitions, schema: shape } = Schema.toJsonSchemaDocument(schema)
  return { $schema: DIALECT, title, ...shape, ...(Object.keys(definitions).length > 0 && { $defs: definitions }) }
}

/** Text of every payload schema by file name. Rules between fields are not in it: `docs/events.md` says them. */
export const payloadSchemas = (flows: ReadonlyArray<Flow>): ReadonlyMap<string, string> =>
  new Map(
    flows.flatMap(({ events }) => events).map((spec) => [
      fileOf(spec),
      text(documentOf(spec.schema, `${spec.type} version ${spec.version}`)),
    ]),
  )

/** Some types come in and go out: `engagement.closed` is told again when it is done. */
const outOf = (type: string): string => `out.${type}`

const schemaName = (schema: Schema.Top): string => String(Schema.resolveAnnotations(schema)?.["identifier"])

const wireType = ({ type, version }: EventSpec<unknown>): string => version === 1 ? type : `${type}.v${version}`

/** AsyncAPI 3.0: where each event is published, and what it holds. */
export const asyncApi = (flows: ReadonlyArray<Flow>): string => {
  const specs = flows.flatMap((flow) => flow.events.map((spec) => ({ flow, spec })))
  const facts = outgoing(flows)
  const entity = { description: "code of the legal entity, as in `weir.json`" }
  return text({
    asyncapi: "3.0.0",
    info: {
      title: "Weir",
      version: "1",
      description:
        "Business events that Weir brings into Odoo, as CloudEvents 1.0 in NATS JetStream. `docs/events.md` says more.",
    },
    defaultContentType: "application/cloudevents+json",
    channels: {
      ...Object.fromEntries(specs.map(({ flow, spec }) => [spec.type, {
        address: `erp.{entity}.${spec.type}`,
        description: flow.description,
        parameters: { entity },
        messages: { event: { $ref: `#/components/messages/${spec.type}` } },
      }])),
      ...Object.fromEntries(facts.map(({ description, type }) => [outOf(type), {
        address: `erp-out.{entity}.${type}`,
        description,
        parameters: { entity },
        messages: { event: { $ref: `#/components/messages/${outOf(type)}` } },
      }])),
    },
    operations: {
      ...Object.fromEntries(specs.map(({ flow, spec }) => [spec.type, {
        action: "receive",
        channel: { $ref: `#/channels/${spec.type}` },
        tags: [{ name: flow.name }, { name: flow.lane }],
      }])),
      ...Object.fromEntries(facts.map(({ tags, type }) => [outOf(type), {
        action: "send",
        channel: { $ref: `#/channels/${outOf(type)}` },
        tags: tags.map((name) => ({ name })),
      }])),
    },
    components: {
      messages: {
        ...Object.fromEntries(specs.map(({ spec }) => [spec.type, {
          name: wireType(spec),
          payload: {
            allOf: [
              { $ref: "#/components/schemas/envelope" },
              {
                properties: {
                  type: { const: wireType(spec) },
                  data: { $ref: `../schemas/published/${fileOf(spec)}` },
                },
              },
            ],
          },
        }])),
        ...Object.fromEntries(facts.map(({ schema, type }) => [outOf(type), {
          name: type,
          payload: {
            allOf: [
              { $ref: "#/components/schemas/envelope" },
              {
                properties: {
                  type: { const: type },
                  ...(schema !== undefined && { data: { $ref: `#/components/schemas/${schemaName(schema)}` } }),
                },
              },
            ],
          },
        }])),
      },
      schemas: {
        envelope: documentOf(Envelope, "CloudEvents attributes"),
        ...Object.fromEntries(
          facts.flatMap(({ schema }) =>
            schema === undefined ? [] : [[schemaName(schema), documentOf(schema, schemaName(schema))]]
          ),
        ),
      },
    },
  })
}
