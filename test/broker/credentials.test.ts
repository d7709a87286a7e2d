import { assert, describe, it } from "@effect/vitest"
import { nkeys } from "@nats-io/transport-node"
import { Context, Effect, Layer } from "effect"
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Broker, type Publication } from "../../src/broker/Broker.ts"
import * as JetStreamBroker from "../../src/broker/JetStreamBroker.ts"
import { connectionOf } from "../../src/config/connection.ts"
import { check } from "../../src/config/load.ts"
import { NatsServer } from "../../src/embedded/NatsServer.ts"
import { folder } from "./folder.ts"

const bytes = new TextEncoder()
const text = new TextDecoder()
type Key = ReturnType<typeof nkeys.createUser>

const base64url = (data: string | Uint8Array): string => Buffer.from(data).toString("base64url")

/** A claim as `nsc` makes it (JWT with algorithm `ed25519-nkey`, version 2), signed by `issuer`. */
const claim = (issuer: Key, subject: Key, name: string, nats: object, more: object = {}): string => {
  const body = { iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name, iat: 1_700_000_000, ...more }
  const jti = createHash("sha512-256").update(JSON.stringify(body)).digest("hex").toUpperCase()
  const head = base64url(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }))
  const payload = base64url(JSON.stringify({ ...body, jti, nats: { version: 2, ...nats } }))
  return `${head}.${payload}.${base64url(issuer.sign(bytes.encode(`${head}.${payload}`)))}`
}

const unlimited = { subs: -1, data: -1, payload: -1 }
const connections = { imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
const account = { type: "account", limits: { ...unlimited, ...connections, ...jetStream } }
/** The system account may not keep streams. */
const systemAccount = { type: "account", limits: { ...unlimited, ...connections } }
const user = (publish: ReadonlyArray<string>, inbox: string) => ({
  type: "user",
  ...unlimited,
  pub: { allow: publish },
  sub: { allow: [`${inbox}.>`] },
  resp: { max: 1, ttl: 0 },
})

/** What a `.creds` file holds. */
const credentials = (jwt: string, key: Key): string =>
  [
    "-----BEGIN NATS USER JWT-----",
    jwt,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    text.decode(key.getSeed()),
    "------END USER NKEY SEED------",
    "",
  ].join("\n")

/** A server in operator mode with one account, kept in its memory resolver. */
const operated = Effect.gen(function* () {
  const [operator, system, tenant] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()]
  const preloaded = [
    [system, claim(operator, system, "system", systemAccount)],
    [tenant, claim(operator, tenant, "weir", account)],
  ] as const
  const server = yield* NatsServer.start({
    storeDir: yield* folder,
    config: [
      `operator: ${claim(operator, operator, "weir-operator", { type: "operator" })}`,
      "resolver: MEMORY",
      `system_account: ${system.getPublicKey()}`,
      `resolver_preload: { ${preloaded.map(([key, jwt]) => `${key.getPublicKey()}: ${jwt}`).join(", ")} }`,
    ].join("\n"),
  })
  const issue = (name: string, publish: ReadonlyArray<string>, more: object = {}, issuer: Key = tenant) => {
    const key = nkeys.createUser()
    return credentials(claim(issuer, key, name, user(publish, `_INBOX_${name}`), more), key)
  }
  /** As a process whose `weir.json` points at a `.creds` file. */
  const as = Effect.fnUntraced(function* (name: string, content: string) {
    const file = join(yield* folder, `${name}.creds`)
    yield* Effect.promise(() => writeFile(file, content, { mode: 0o600 }))
    const { configuration } = yield* Effect.orDie(
      check("test", { nats: { url: server.url, credentials: { file }, inbox: `_INBOX_${name}` } }, {}),
    )
    const options = yield* Effect.orDie(connectionOf(configuration, server.url))
    return yield* Layer.build(JetStreamBroker.layer({ ...options, requestTimeout: "2 seconds" })).pipe(
      Effect.map((context) => Context.get(context, Broker)),
    )
  })
  return { as, issue }
})

const message = (subject: string, id: string): Publication => ({
  subject,
  headers: {},
  data: bytes.encode(id),
  messageId: id,
})
const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("a broker in operator mode", () => {
  it.live("lets in who shows the credentials of a user, with what they allow and no more", () =>
    Effect.gen(function* () {
      const { as, issue } = yield* operated
      const weir = yield* as("WEIR", issue("WEIR", ["$JS.API.>", "$JS.ACK.>", "erp-out.>"]))
      yield* weir.provision
      const publisher = yield* as("PUBLISHER", issue("PUBLISHER", ["erp.>"]))
      yield* publisher.publish([message("erp.be01.invoice.requested", "1")])
      yield* weir.publish([message("erp-out.be01.invoice.posted", "2")])
      assert.strictEqual(yield* weir.lastSequence("erp.be01.>"), 1)
      assert.strictEqual(yield* reasonOf(weir.publish([message("erp.be01.invoice.requested", "3")])), "Refused")
      assert.strictEqual(yield* reasonOf(publisher.publish([message("erp-out.be01.invoice.posted", "4")])), "Refused")
      assert.strictEqual((yield* weir.describe).stream.messages, 1)
    }).pipe(Effect.scoped))

  it.live("turns away credentials that have run out, and those of an account that it does not know", () =>
    Effect.gen(function* () {
      const { as, issue } = yield* operated
      const all = ["$JS.API.>"]
      assert.strictEqual(yield* reasonOf(as("WEIR", issue("WEIR", all, { exp: 1_700_000_001 }))), "Refused")
      assert.strictEqual(yield* reasonOf(as("WEIR", issue("WEIR", all, {}, nkeys.createAccount()))), "Refused")
      const key = nkeys.createUser()
      const stolen = issue("WEIR", all).replace(/SU[A-Z0-9]+/u, text.decode(key.getSeed()))
      assert.strictEqual(yield* reasonOf(as("WEIR", stolen)), "Refused")
    }).pipe(Effect.scoped))
})
