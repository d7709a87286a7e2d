import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Decimal, format, formatOdooFloat, fromOdooFloat, scaleOf } from "../../schemas/money.ts"

const decode = Schema.decodeUnknownSync(Decimal)

describe("money", () => {
  it("keeps every digit from string to string", () => {
    for (const text of ["0", "1250.5", "-0.01", "999999999999999.999999"]) {
      assert.strictEqual(Schema.encodeSync(Decimal)(decode(text)), text)
    }
  })

  it("refuses floats, exponents and more digits than it can keep", () => {
    for (const bad of [12.5, "1e3", "1.0000001", "1234567890123456", "", "1,5"]) {
      assert.throws(() => decode(bad))
    }
  })

  it("writes exactly the decimals of the currency, half away from zero", () => {
    assert.strictEqual(format(decode("1.005"), scaleOf("EUR")), "1.01")
    assert.strictEqual(format(decode("-0.5"), scaleOf("JPY")), "-1")
    assert.strictEqual(format(decode("7"), scaleOf("KWD")), "7.000")
  })

  it("brings Odoo's floats back to the cent", () => {
    assert.strictEqual(format(fromOdooFloat(118.10000000000001, 2), 2), "118.10")
    for (const float of [118.10000000000001, 0.1 + 0.2, 1.005, -0.001, -0, 0, -12.5, 1e15 + 0.3, 7]) {
      for (const scale of [0, 2, 6]) {
        assert.strictEqual(
          formatOdooFloat(float, scale),
          format(fromOdooFloat(float, scale), scale),
          `${float} ${scale}`,
        )
      }
    }
    for (const none of [NaN, Infinity, 1e21]) assert.throws(() => formatOdooFloat(none, 2), RangeError)
  })
})
