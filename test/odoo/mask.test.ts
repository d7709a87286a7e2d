import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import type { Mask } from "../../src/flow/Mask.ts"
import type { CallInput, CompanyCalls } from "../../src/odoo/CompanyCalls.ts"
import { masked } from "../../src/odoo/plan/mask.ts"

const mask: Mask = {
  "account.move": {
    always: "payment_state",
    first: "move_type partner_id/id invoice_line_ids/name timesheet_ids/id",
    moved: "date",
  },
  "account.analytic.line": { always: "name", deletes: true },
}

const made: CallInput["context"] = { mode: "update", noupdate: true }

/** What was said instead of calling; undefined when the call was made. */
const refused = (model: string, method: string, input: CallInput, amend = false): string | undefined => {
  let called = false
  const calls = {
    call: () => Effect.sync(() => (called = true, true)),
  } as Pick<CompanyCalls, "call"> as CompanyCalls
  const exit = Effect.runSyncExit(masked(calls, "invoices", mask, amend).call(model, method, input))
  assert.strictEqual(called, Exit.isSuccess(exit))
  return Exit.isSuccess(exit) ? undefined : String(Cause.squash(exit.cause))
}
const load = (fields: ReadonlyArray<string>, context?: CallInput["context"], amend = false) =>
  refused("account.move", "load", { args: { fields }, ...(context !== undefined && { context }) }, amend)
const write = (field: string, amend = false) =>
  refused("account.move", "write", { ids: [1], args: { vals: { [field]: "x" } } }, amend)

describe("a mask", () => {
  it("lets a record be made with its first columns and kept with the others", () => {
    const first = ["id", "move_type", "partner_id/id", "invoice_line_ids/id", "invoice_line_ids/name"]
    assert.isUndefined(load(first, made))
    assert.isUndefined(load(["id"]))
    assert.match(load(first) ?? "", /may not write account.move move_type \(load\)/u)
    assert.match(load(["id", "move_type", "narration"], made) ?? "", /narration/u)
  })

  it("tells the external id of lines from a reference of the same form", () => {
    assert.match(load(["id", "journal_id/id"], made) ?? "", /journal_id\/id/u)
    assert.match(load(["id", "expense_ids/id"], made) ?? "", /expense_ids\/id/u)
    assert.isUndefined(load(["id", "timesheet_ids/id"], made))
    assert.match(load(["id", "invoice_line_ids/id", "invoice_line_ids/price_unit"], made) ?? "", /price_unit/u)
  })

  it("lets fields be written that follow the source, and a day that a locked period moves", () => {
    assert.deepStrictEqual(["payment_state", "date"].map((field) => write(field)), [undefined, undefined])
    assert.match(write("move_type") ?? "", /may not write account.move move_type \(write\)/u)
  })

  it("lets a replay that amends drafts write what they were made with, and take lines away", () => {
    assert.isUndefined(load(["id", "move_type", "invoice_line_ids/id", "invoice_line_ids/name"], undefined, true))
    assert.deepStrictEqual([write("invoice_line_ids", true), write("invoice_line_ids")?.slice(0, 5)], [
      undefined,
      "Error",
    ])
    assert.match(write("narration", true) ?? "", /narration/u)
  })

  it("lets its own be deleted where it says so, and makes nothing without an external id", () => {
    assert.isUndefined(refused("account.analytic.line", "unlink", { ids: [1] }))
    assert.match(refused("account.move", "unlink", { ids: [1] }) ?? "", /a deletion/u)
    assert.match(refused("account.move", "create", {}) ?? "", /without an external id/u)
    assert.match(
      refused("res.partner", "write", { ids: [1], args: { vals: { name: "x" } } }) ?? "",
      /res.partner name/u,
    )
  })

  it("leaves alone what reads, and methods that the plan names", () => {
    for (const method of ["read", "search_read", "action_post", "get_external_id"]) {
      assert.isUndefined(refused("sale.order", method, { ids: [1] }))
    }
  })
})
