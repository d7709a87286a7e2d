import { assert, describe, it } from "@effect/vitest"
import { jetstreamManager } from "@nats-io/jetstream"
import { nkeyAuthenticator, nkeys } from "@nats-io/transport-node"
import { Context, Effect, Layer, Queue, Redacted, Stream } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { Broker, type Publication } from "../../src/broker/Broker.ts"
import { connect } from "../../src/broker/jetstream/transport.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import { NatsServer } from "../../src/embedded/NatsServer.ts"
import { folder } from "./folder.ts"

const USERS = readFileSync(new URL("../../deploy/nats/users.conf", import.meta.url), "utf8")
const run = promisify(execFile)
const bytes = new TextEncoder()

/** An authority and a certificate for this machine that it signed. */
const certificates = Effect.fnUntraced(function* (path: string) {
  const openssl = (...args: ReadonlyArray<string>) => Effect.promise(() => run("openssl", [...args], { cwd: path }))
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
  yield* openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=weir test authority")
  yield* openssl(
    ...["req", "-x509", ...key, "-keyout", "tls.key", "-out", "tls.crt", "-subj", "/CN=localhost"],
    ...["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  )
  yield* Effect.promise(() => chmod(join(path, "tls.key"), 0o600))
})

type Role = "WEIR" | "PUBLISHER" | "OPERATOR"

/** The server of `deploy/nats`, with keys made now. */
const secured = Effect.fnUntraced(function* (more = "", users = USERS) {
  const keys = { WEIR: nkeys.createUser(), PUBLISHER: nkeys.createUser(), OPERATOR: nkeys.createUser() }
  // The server reads them from its environment, which is this process's.
  for (const [role, key] of Object.entries(keys)) process.env[`NATS_${role}_KEY`] = key.getPublicKey()
  const server = yield* NatsServer.start({ storeDir: yield* folder, config: `${more}\n${users}` })
  const as = (role: Role, options: Partial<JetStreamBroker.JetStreamOptions> = {}) =>
    Layer.build(JetStreamBroker.layer({
      servers: server.url,
      nkey: Redacted.make(new TextDecoder().decode(keys[role].getSeed())),
      inbox: `_INBOX_${role}`,
      requestTimeout: "2 seconds",
      ...options,
    })).pipe(Effect.map((context) => Context.get(context, Broker)))
  return { as, keys, server }
})

const message = (subject: string, id: string): Publication => ({
  subject,
  headers: {},
  data: bytes.encode(id),
  messageId: id,
})
const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

const consuming = (broker: typeof Broker.Service) =>
  broker.consume({
    entity: "be01",
    flow: "invoices",
    epoch: 1,
    subject: "erp.be01.invoice.>",
    afterSequence: 0,
    maxInFlight: 10,
  })

const consumed = (broker: typeof Broker.Service, count: number) =>
  consuming(broker).pipe(
    Stream.take(count),
    Stream.tap((delivery) => Effect.sync(() => delivery.ack())),
    Stream.runCollect,
  )

describe("the broker's users of deploy/nats", () => {
  it.live("let Weir do all it does, publishers publish events, operators look, and nobody more", () =>
    Effect.gen(function* () {
      const { as } = yield* secured()
      const [weir, publisher, operator] = yield* Effect.all([as("WEIR"), as("PUBLISHER"), as("OPERATOR")])
      yield* weir.provision
      yield* publisher.publish([message("erp.be01.invoice.requested", "1"), message("erp.be01.invoice.requested", "2")])
      assert.strictEqual((yield* consumed(weir, 2)).length, 2)
      yield* weir.publish([message("erp-out.be01.invoice.posted", "3")])
      // What it adds up, and what corrects posted invoices.
      yield* weir.publish([message("erp.be01.usage.rolled-up", "6"), message("erp.be01.credit-note.requested", "7")])
      assert.strictEqual(yield* weir.lastSequence("erp.be01.>"), 4)
      const consumer = { entity: "be01", flow: "invoices", epoch: 2, subject: "erp.be01.invoice.>", afterSequence: 0 }
      assert.strictEqual(yield* weir.backlog(consumer), 2)
      assert.strictEqual((yield* Stream.runCollect(weir.read({ subject: "erp.>", fromSequence: 1 }))).length, 4)
      assert.strictEqual((yield* operator.describe).stream.messages, 4)
      assert.deepStrictEqual([...yield* operator.subjects("erp-out.>")], [["erp-out.be01.invoice.posted", 1]])

      assert.strictEqual(yield* reasonOf(weir.publish([message("erp.be01.payment.received", "4")])), "Refused")
      assert.strictEqual(yield* reasonOf(publisher.publish([message("erp-out.be01.invoice.posted", "5")])), "Refused")
      assert.strictEqual(yield* reasonOf(consumed(publisher, 1)), "Refused")
      assert.strictEqual((yield* operator.describe).stream.messages, 4)
    }).pipe(Effect.scoped))

  it.live("let Weir work as well where it may not listen: then its consumers stay", () =>
    Effect.gen(function* () {
      const users = USERS.replace(`["_INBOX_WEIR.>", "erp.>"]`, `["_INBOX_WEIR.>"]`)
      assert.notStrictEqual(users, USERS)
      const { as, keys, server } = yield* secured("", users)
      const [weir, publisher] = yield* Effect.all([as("WEIR", { quietAfter: "10 millis" }), as("PUBLISHER")])
      const consumers = Effect.promise(async () => {
        const authenticator = nkeyAuthenticator(keys.OPERATOR.getSeed())
        const nc = await connect({ servers: server.url, authenticator, inboxPrefix: "_INBOX_OPERATOR" })
        const { state } = await (await jetstreamManager(nc)).streams.info("ERP")
        await nc.close()
        return state.consumer_count
      })
      yield* weir.provision
      const arrived = yield* Queue.unbounded<string>()
      yield* consuming(weir).pipe(
        Stream.runForEach((delivery) => {
          delivery.ack()
          return Queue.offer(arrived, delivery.subject)
        }),
        Effect.forkScoped,
      )
      // Longer than a consumer is asked whether it is worth it.
      yield* Effect.sleep("1500 millis")
      for (const id of ["1", "2"]) {
        yield* publisher.publish([message("erp.be01.invoice.requested", id)])
        assert.strictEqual(yield* Queue.take(arrived), "erp.be01.invoice.requested")
        yield* Effect.sleep("1500 millis")
      }
      assert.strictEqual(yield* consumers, 1)
    }).pipe(Effect.scoped))

  it.live("refuse a key that is not theirs", () =>
    Effect.gen(function* () {
      const { as } = yield* secured()
      const stranger = Redacted.make(new TextDecoder().decode(nkeys.createUser().getSeed()))
      assert.strictEqual(yield* reasonOf(as("WEIR", { nkey: stranger })), "Refused")
    }).pipe(Effect.scoped))

  it.live("are reached over TLS by who trusts the authority, and not by others", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* certificates(path)
      const file = (name: string) => join(path, name)
      const { as, server } = yield* secured(
        `tls { cert_file: "${file("tls.crt")}", key_file: "${file("tls.key")}", ca_file: "${file("ca.crt")}" }`,
      )
      const servers = `tls://localhost:${server.port}`
      const weir = yield* as("WEIR", { servers, tls: { ca: file("ca.crt") } })
      yield* weir.provision
      assert.strictEqual((yield* weir.describe).stream.name, "ERP")
      assert.notStrictEqual(yield* reasonOf(as("WEIR", { servers, connectTimeout: "2 seconds" })), undefined)
    }).pipe(Effect.scoped))
})
