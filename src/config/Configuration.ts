/**
 * What an operator can set: the shape of `weir.json`, with unit, default and meaning of zero on every field. The same
 * Schema decodes the file, names its problems, maps environment variables and makes `docs/weir.schema.json`.
 *
 * Everything is optional. Without `nats` and `postgres` Weir starts its own servers under `dataDir`.
 */
import { Context, Schema } from "effect"
import { EntityCode } from "../../schemas/ids.ts"
import { AccessSection } from "./access.ts"
import { Entity } from "./entity.ts"
import { absent, hour, kept, optional, positive, regionName, span, url } from "./fields.ts"
import { Secret } from "./Secret.ts"

const servers = "nats:// or tls:// URLs, separated by commas, without user and password"

export const Nats = Schema.Struct({
  url: Schema.String.check(
    Schema.isPattern(/^(?:nats|tls|ws|wss):\/\/[^\s,@]+(?:,(?:nats|tls|ws|wss):\/\/[^\s,@]+)*$/u),
  ).annotate({
    description: `Servers of one cluster: ${servers}.`,
    expected: servers,
    examples: ["nats://nats-1:4222,nats://nats-2:4222"],
  }),
  credentials: absent(Secret, "Content of a NATS .creds file (JWT and seed)."),
  token: absent(Secret, "Authentication token."),
  user: absent(Schema.NonEmptyString, "User name, together with `password`."),
  password: absent(Secret, "Password of `user`."),
  nkey: absent(Secret, "Seed of an nkey (SU…); the server knows its public key."),
  inbox: optional(
    Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/u)).annotate({
      expected: "a subject without wildcards",
    }),
    "_INBOX",
    "Prefix of the subjects on which answers come back: what the user must be allowed to subscribe to.",
  ),
  tls: absent(
    Schema.Struct({
      ca: absent(Schema.NonEmptyString, "File with the authorities that sign the servers' certificates, PEM."),
      certificate: absent(Schema.NonEmptyString, "File with a certificate of our own, together with `key`, PEM."),
      key: absent(Schema.NonEmptyString, "File with its private key, PEM."),
    }),
    "TLS beyond what the system trusts. `tls://` in `url` is enough for a certificate of a public authority.",
  ),
  replicas: optional(
    Schema.Literals([1, 3, 5]),
    1,
    "Replicas of the streams when Weir creates them: 1, 3 or 5. Existing streams are left alone.",
  ),
}).annotate({ description: "The broker. Left out: an embedded NATS server under `dataDir`." })

export const Postgres = Schema.Struct({
  url: Secret.annotate({
    description: "`postgres://user:password@host:port/database`; a reference because it holds a password.",
  }),
  connections: optional(positive, 10, "Most connections at once, 1 or more."),
}).annotate({ description: "The ledger's database. Left out: an embedded PostgreSQL under `dataDir`." })

/** One Odoo database. */
export const Database = Schema.Struct({
  url: url("https?", "https://odoo.example.com", "Where Odoo listens."),
  database: Schema.NonEmptyString.annotate({ description: "Odoo's name of the database." }),
  key: Secret.annotate({ description: "API key of the technical user that Weir works as." }),
  adoption: absent(
    Secret,
    "API key of a user who may manage access rights, for a cut-over: it gives records that another system made the " +
      "external ids under which Weir looks for them, and does nothing else. Take it out when that is over.",
  ),
  workers: optional(positive, 2, "HTTP workers that this Odoo runs (its `--workers`), 1 or more."),
  share: optional(
    Schema.Finite.check(
      Schema.isGreaterThan(0, { expected: "a fraction above 0, at most 1" }),
      Schema.isLessThanOrEqualTo(1, { expected: "a fraction above 0, at most 1" }),
    ).annotate({ expected: "a fraction above 0, at most 1" }),
    0.5,
    "Fraction of the workers that Weir may keep busy, above 0, at most 1; always at least one worker.",
  ),
  callsPerSecond: optional(
    Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      expected: "a number, 0 or more",
    }),
    0,
    "Most calls in a second; Odoo Online allows about 1. 0: no limit.",
  ),
  timeout: span(
    "150 seconds",
    "Longest wait for one answer, longer than Odoo's `limit_time_real`; after it the outcome is read back.",
  ),
}).annotate({ description: "One Odoo database." })
export type Database = typeof Database.Type

/** A service beside Odoo. */
export const Service = Schema.Struct({
  url: url("https?", "https://tax.example.com/quote", "Where questions are posted (`src/services/HttpService.ts`)."),
  probe: absent(
    url("https?", "https://tax.example.com/health", ""),
    "Asked with GET whether the service works: any answer below 500. Left out: `url`.",
  ),
  key: absent(Secret, "Bearer token."),
  timeout: span("5 seconds", "Longest wait for one answer."),
}).annotate({ description: "One service beside Odoo." })

export const Http = Schema.Struct({
  host: optional(
    Schema.NonEmptyString,
    "127.0.0.1",
    "Address to listen on. The default is this machine only, `0.0.0.0` every interface.",
  ),
  port: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })).annotate({
      expected: "a port, 0 to 65535",
    }),
    8787,
    "TCP port. 0: any free port.",
  ),
})

export const Cluster = Schema.Struct({
  host: absent(
    Schema.NonEmptyString,
    "Name or address by which the other runners reach this one. Left out: the machine's host name.",
  ),
  port: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })).annotate({ expected: "a port, 1 to 65535" }),
    34_431,
    "TCP port on which the other runners reach this one. Only runners should: it takes orders without credentials.",
  ),
  listen: optional(Schema.NonEmptyString, "0.0.0.0", "Address to listen on."),
  profile: optional(
    Schema.Literals(["production", "test"]),
    "production",
    "How soon a lost runner is noticed: `production` 15 seconds at most, `test` 5 seconds, which a loaded machine may " +
      "miss without being lost. The same in all runners.",
  ),
  region: absent(regionName, "Region of this runner. Left out: it takes only entities without a region."),
  weight: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({
      expected: "a whole number, 1 to 100",
    }),
    1,
    "Share of the entities relative to other runners, 1 to 100.",
  ),
  shards: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).annotate({
      expected: "a whole number, 1 to 10000",
    }),
    300,
    "Shards per region, the same in all runners. Another number places entities otherwise (`docs/deploying.md`).",
  ),
}).annotate({
  description:
    "Several `weir run` that share the entities. Needs `nats` and `postgres`, the same for all. Left out: one " +
    "process on its own, unless `weir run --cluster`.",
})
export type Cluster = typeof Cluster.Type

/** What an installation may be for. */
export const environments = ["production", "staging", "test"] as const
export type EnvironmentName = typeof environments[number]

export const Feed = Schema.Struct({
  every: span(
    "30 seconds",
    "Rest between two looks of an entity, longer while others wait for Odoo. `0 seconds`: none.",
  ),
  overlap: span(
    "5 minutes",
    "Longer than the longest transaction in Odoo, anybody's (`limit_time_real`, scheduled actions): what a transaction " +
      "writes shows up after it, stamped with its beginning.",
  ),
}).annotate({
  description: "How often it is looked what people changed in Odoo, for others: an invoice posted, paid, reversed.",
})

export const Retention = Schema.Struct({
  directory: Schema.NonEmptyString.annotate({
    description: "Folder of the archives, for Weir alone. Runners of a cluster share it. They hold whole payloads.",
  }),
  hour: hour(4, "Hour of the day in UTC from which on the day's archiving is done."),
  events: kept("400 days", "How long what became of an event stays in the ledger, once it is settled."),
  exceptions: kept("400 days", "How long the history of an exception and its corrections stay, once it is over."),
  audit: kept("1100 days", "How long records of a legal entity's audit trail stay."),
  runs: kept("800 days", "How long replays, proofs and rebuilds stay, once they are over. Longer than `events`."),
  unproven: optional(
    Schema.Literals(["keep", "archive"]),
    "keep",
    "Events of a month that no proof says is complete: `keep` them until one does, or `archive` them all the same.",
  ),
}).annotate({
  description:
    "What leaves the ledger after its time, into archives that stay readable (`docs/retention.md`). Left out: nothing " +
    "leaves.",
})

/** The file as a whole. */
export const File = Schema.Struct({
  $schema: absent(Schema.String, "Where editors find this schema."),
  environment: absent(
    Schema.Literals(environments),
    "What this installation is for: `production`, `staging` or `test`. Weir does not start on a ledger or an Odoo that is " +
      "marked as something else; the first start marks the ledger. Left out: it does not start on what is marked `production`.",
  ),
  nats: Schema.optionalKey(Nats),
  postgres: Schema.optionalKey(Postgres),
  databases: optional(Schema.Record(Schema.NonEmptyString, Database), {}, "Odoo databases by a name of your choice."),
  entities: optional(
    Schema.Record(EntityCode, Entity),
    {},
    "Legal entities by code. The code stands in subjects and external ids: it never changes.",
  ),
  http: optional(Http, {}, "Where health, metrics and the API are served."),
  access: optional(AccessSection, {}, "Who may use the API."),
  cluster: Schema.optionalKey(Cluster),
  services: optional(
    Schema.Record(Schema.NonEmptyString, Service),
    {},
    "Services beside Odoo that events need, by name: `pricing` for prices, `tax` for tax codes and quoted tax.",
  ),
  retention: Schema.optionalKey(Retention),
  feed: optional(Feed, {}, "How what people change in Odoo is looked at."),
  grace: span("20 seconds", "How long work in flight may finish at shutdown; what is not done by then is redelivered."),
  dataDir: optional(
    Schema.NonEmptyString,
    ".weir",
    "Folder of the embedded servers, relative to the working directory.",
  ),
  logLevel: optional(
    Schema.Literals(["Trace", "Debug", "Info", "Warn", "Error"]),
    "Info",
    "Least severe level that is logged: Trace, Debug, Info, Warn or Error.",
  ),
}).annotate({ title: "weir.json", description: "Configuration of Weir." })
export type Settings = typeof File.Type

/** The configuration of this process, checked as a whole. */
export class Configuration extends Context.Service<Configuration, Settings>()("weir/config/Configuration") {}

/** Most calls at once to a database: its share of the workers, one at least. */
export const callLimitOf = (database: Pick<Database, "workers" | "share">): number =>
  Math.max(1, Math.floor(database.workers * database.share))
