import { assert, describe, it } from "@effect/vitest"
import { isLocal } from "../../src/identity/local.ts"
import { RateLimit } from "../../src/identity/RateLimit.ts"

describe("a caller on this machine", () => {
  const host = "127.0.0.1:8787"

  it("is one that a program here sent", () => {
    for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
      assert.isTrue(isLocal(address, { host }))
    }
    for (const name of ["localhost", "LOCALHOST:1", "[::1]:8787"]) assert.isTrue(isLocal("::1", { host: name }))
    assert.isTrue(isLocal("127.0.0.1", { host: "localhost:8787", origin: "http://localhost:8787" }))
  })

  it("is none that comes from elsewhere", () => {
    for (const address of ["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "", "127.0.0.1.example.test".slice(0, 3)]) {
      assert.isFalse(isLocal(address, { host }), address)
    }
  })

  it("is none for whom a proxy here speaks", () => {
    for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]) {
      assert.isFalse(isLocal("127.0.0.1", { host, [name]: "x" }), name)
    }
  })

  it("is no page of a foreign site, whatever name leads here", () => {
    assert.isFalse(isLocal("127.0.0.1", { host, origin: "https://evil.example.test" }))
    assert.isFalse(isLocal("127.0.0.1", { host, origin: "null" }))
    assert.isFalse(isLocal("127.0.0.1", { host: "evil.example.test:8787" }))
    assert.isFalse(isLocal("127.0.0.1", { host: "localhost.evil.example.test" }))
    assert.isFalse(isLocal("127.0.0.1", {}))
  })
})

describe("the rate of a caller", () => {
  const limit = () => new RateLimit({ perMinute: 60, burst: 3, capacity: 2 })

  it("is so many at once, then one a second", () => {
    const rate = limit()
    assert.deepStrictEqual([1, 2, 3, 4].map(() => rate.take("ada", 0)), [0, 0, 0, 1_000])
    assert.strictEqual(rate.take("ada", 400), 600)
    assert.strictEqual(rate.take("ada", 1_000), 0)
    assert.strictEqual(rate.take("ada", 1_000), 1_000)
    assert.strictEqual(rate.take("eve", 1_000), 0, "others are not held up")
    assert.deepStrictEqual([1, 2, 3, 4].map(() => rate.take("ada", 60_000)), [0, 0, 0, 1_000], "no more than the burst")
  })

  it("survives a clock that goes back", () => {
    const rate = limit()
    assert.deepStrictEqual([1, 2, 3].map(() => rate.take("ada", 10)), [0, 0, 0])
    assert.strictEqual(rate.take("ada", 0), 1_000)
  })

  it("is remembered of a bounded number of callers, those that asked last", () => {
    const rate = limit()
    for (const caller of ["ada", "eve", "ada", "eve", "ada", "eve"]) rate.take(caller, 0)
    assert.isAbove(rate.take("ada", 0), 0)
    rate.take("mallory", 0)
    assert.isAbove(rate.take("ada", 0), 0, "asked after eve did")
    assert.strictEqual(rate.take("eve", 0), 0, "forgotten")
  })
})
