/** An OpenID Connect issuer as far as Weir sees one: keys that it publishes, tokens that it signs. */
import { Effect } from "effect"
import { Buffer } from "node:buffer"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const kinds = {
  RS256: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2_048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  ES256: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
} as const

export interface Key {
  readonly kid: string
  readonly alg: keyof typeof kinds
  readonly jwk: JsonWebKey
  readonly sign: (head: object, claims: object) => Promise<string>
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

export const makeKey = (kid: string, alg: Key["alg"], modulusLength?: number): Effect.Effect<Key> =>
  Effect.promise(async () => {
    const parameters = alg === "RS256" ? { ...kinds.RS256, modulusLength: modulusLength ?? 2_048 } : kinds.ES256
    const pair = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]) as CryptoKeyPair
    return {
      kid,
      alg,
      jwk: { ...await crypto.subtle.exportKey("jwk", pair.publicKey), kid, alg, use: "sig" } as JsonWebKey,
      sign: async (head, claims) => {
        const text = `${base64url({ alg, kid, typ: "JWT", ...head })}.${base64url(claims)}`
        const signature = await crypto.subtle.sign(parameters, pair.privateKey, Buffer.from(text))
        return `${text}.${Buffer.from(signature).toString("base64url")}`
      },
    }
  })

/** Publishes `keys` at the URL; counts who asks. Ends with the scope. */
export const publish = (keys: { current: ReadonlyArray<Key>; asked: number; status?: number }) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((_, response) => {
        keys.asked++
        response.writeHead(keys.status ?? 200, { "content-type": "application/json" })
        response.end(JSON.stringify({ keys: keys.current.map(({ jwk }) => jwk) }))
      }).listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
        resume(Effect.succeed({ url, close: () => void server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close),
  )
