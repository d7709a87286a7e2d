import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Metric } from "effect"
import { readFileSync } from "node:fs"
import * as CallGate from "../../src/odoo/CallGate.ts"
import { classify, classifyTransport } from "../../src/odoo/classify.ts"
import { companyCalls } from "../../src/odoo/CompanyCalls.ts"
import { Odoo, OdooError } from "../../src/odoo/Odoo.ts"
import { shapeOf } from "../../src/odoo/unknown.ts"
import type { ReasonCode } from "../../src/reason/Reason.ts"
import { odooUnknown } from "../../src/telemetry/Metrics.ts"
import { TinyOdoo } from "./TinyOdoo.ts"

interface Recording {
  readonly name: string
  readonly request: { readonly method: string; readonly path: string }
  readonly response:
    | { readonly status: number; readonly contentType: string; readonly body: unknown }
    | { readonly error: string; readonly message: string }
}

const recorded = (file: string): ReadonlyArray<Recording> =>
  readFileSync(new URL(`../../fixtures/odoo/recordings/${file}.ndjson`, import.meta.url), "utf8")
    .trimEnd().split("\n").map((line) => JSON.parse(line) as Recording)
const recordings = ["protocol", "flows"].flatMap(recorded)

/** What each recorded answer must be taken for. Whatever is not named here gave its value. */
const expected: Partial<Record<ReasonCode, string>> = {
  "ODOO-AUTH": "err_auth_bad_key err_auth_no_key",
  "ODOO-ACCESS": `alt_imd__xmlid_lookup alt_server_action_create_as_technical_user alt_server_action_run_low
    err_access_company_not_allowed err_access_model err_access_record_rule err_private_method
    ir_model_data_search_as_technical_user mc_create_company_denied mc_post_other_company_not_in_context
    flow_10_mail_messages flow_11_lock_date_write_technical flow_12_ir_model_data_create_technical flow_9_cancel_private
    load_err_access mc_err_tax_of_other_company mc_journal_of_company_not_in_context`,
  "ODOO-REFUSED-CALL": `alt_check_object_reference_missing alt_imd_xmlid_to_res_id err_bad_selection err_bad_type
    err_create_unknown_field err_domain_unknown_field err_empty_body err_get_method err_ids_not_a_list
    err_ids_on_api_model_method err_json_array_body err_malformed_json err_missing_argument err_path_without_method
    err_payload_129MiB err_read_unknown_field err_unexpected_argument err_unknown_method err_unknown_model
    err_write_unknown_field err_wrong_content_type load_err_unknown_column flow_10_iso_timestamp_in_domain
    flow_5_post_wizard_post flow_5_post_wizard_post_again flow_6_load_payment_write_off_column
    flow_err_load_x2many_id_as_number`,
  "ODOO-CONTENTION": `alt_server_action_concurrent_2 err_lock_timeout_exhausted err_serialization_failure_exhausted
    load_concurrent_identical_0 load_serialization_failure_swallowed`,
  "ODOO-UNAVAILABLE": `err_unknown_database err_unknown_database_matching_dbfilter fail_db_connection_killed_mid_call
    fail_postgres_down_0 fail_postgres_down_1 fail_postgres_down_2 fail_postgres_down_no_db_header fail_server_down`,
  "ODOO-NO-ANSWER": `fail_client_timeout fail_limit_time_real fail_while_stopping fail_worker_killed_mid_call
    fail_worker_sigterm_mid_call`,
  "ODOO-RECORD-MISSING": `err_many2one_missing_record_2 err_missing_record_method err_missing_record_write
    unlink_missing_record flow_3_timesheet_unlink_again`,
  "ODOO-VALIDATION": `alt_server_action_run_one_bad conc_confirm_same_0 conc_confirm_same_1 conc_confirm_same_3
    conc_post_same_0 conc_post_same_1 conc_post_same_2 conc_reconcile_same_0 conc_reconcile_same_2
    err_many2one_missing_record err_missing_required_field err_redirect_warning_no_journal err_unique_violation
    err_user_error_post_empty_invoice err_validation_error_recursive export_data_external_ids load_bad_number
    load_batch_two_bad_rows load_company_without_chart load_contact_many2one_by_external_id
    load_err_external_id_of_other_model load_err_rows load_err_unknown_external_id
    load_err_update_mode_without_external_id wf_b_action_confirm_again wf_d_action_post_again
    wf_d_action_post_mixed_posted_and_draft wf_d_load_over_posted_default_mode wf_d_load_over_posted_default_mode_own
    wf_d_post_cancelled wf_d_post_duplicate_number wf_f_js_assign_outstanding_line
    wf_f_reconcile_fully_reconciled_again wf_f_register_full_again_create wf_g_action_post_again
    wf_h_batch_post_one_bad flow_11_hard_lock_unset flow_12_load_bad_vat flow_12_unlink_partner_with_documents
    flow_1_confirm_own_project flow_2_load_employee_map_second_for_same_employee flow_3_unlink_invoice_posted
    flow_3_upsert_hours_invoice_posted flow_3_write_hours_invoice_draft flow_3_write_hours_invoice_posted
    flow_4_linked_timesheet_is_protected flow_4_wizard_concurrent_0 flow_4_wizard_nothing_left_run
    flow_4_wizard_same_again flow_4_wizard_same_period_again_run flow_5_post_company_paid_again
    flow_5_post_own_receipt_again flow_5_reset_again flow_5_reset_posted_expense flow_6_load_rate_same_day_other_id
    flow_6_reconcile_again flow_6_reconcile_different_receivable_accounts flow_7_button_cancel_again
    flow_8_account_external_ids flow_8_load_entry_unbalanced flow_8_post_entry_again flow_8_unlink_posted_entry
    flow_9_change_product_after_confirm flow_9_unlink_line_confirmed_not_invoiced flow_9_upsert_line_locked
    flow_err_load_empty_date_column`,
}
const codeOf = new Map(
  Object.entries(expected).flatMap(([code, names]) => names.split(/\s+/u).map((name) => [name, code])),
)

/** The codes that Node and undici give what Python's client called so. */
const nodeCode: Record<string, string> = {
  TimeoutError: "UND_ERR_HEADERS_TIMEOUT",
  RemoteDisconnected: "UND_ERR_SOCKET",
  ConnectionRefusedError: "ECONNREFUSED",
}

const operationOf = (recording: Recording): string => recording.request.path.replace("/json/2/", "")
const outcome = (recording: Recording) => {
  const { response } = recording
  return "error" in response
    ? classifyTransport(operationOf(recording), nodeCode[response.error] ?? response.error, response.message)
    : classify(operationOf(recording), response)
}
const find = (name: string): Recording => {
  const found = recordings.find((recording) => recording.name === name)
  if (found === undefined) throw new Error(`no recording ${name}`)
  return found
}
const errorOf = (name: string): OdooError => {
  const result = outcome(find(name))
  if (result instanceof OdooError) return result
  throw new Error(`${name} gave a value`)
}
const calls = recordings.filter((recording) => recording.request.path.startsWith("/json/2/"))

describe("classify", () => {
  it(`takes each of the ${calls.length} recorded calls for what it is`, () => {
    assert.isAtLeast(calls.length, 550)
    const wrong = calls.flatMap((recording) => {
      const result = outcome(recording)
      const got = result instanceof OdooError ? result.code : "answer"
      const want = codeOf.get(recording.name) ?? "answer"
      return got === want ? [] : [`${recording.name}: ${got}, not ${want}`]
    })
    assert.deepStrictEqual(wrong, [])
    const recorded = new Set(calls.map((recording) => recording.name))
    assert.deepStrictEqual([...codeOf.keys()].filter((name) => !recorded.has(name)), [])
  })

  it("takes no JSON-RPC envelope for a value, and the exceptions in it for the same as its own", () => {
    const wanted: Readonly<Record<string, ReasonCode>> = {
      rpc_chart_try_loading: "ODOO-REFUSED-CALL",
      rpc_err_access: "ODOO-ACCESS",
      rpc_err_bad_args: "ODOO-REFUSED-CALL",
      rpc_err_bad_key: "ODOO-AUTH",
      rpc_err_many2one_missing_record: "ODOO-VALIDATION",
      rpc_err_missing_record: "ODOO-RECORD-MISSING",
      rpc_err_missing_required_field: "ODOO-VALIDATION",
      rpc_err_serialization_failure_exhausted: "ODOO-CONTENTION",
      rpc_err_unique_violation: "ODOO-VALIDATION",
      rpc_err_unknown_database: "ODOO-UNAVAILABLE",
      rpc_err_unknown_field: "ODOO-REFUSED-CALL",
      rpc_err_unknown_method: "ODOO-REFUSED-CALL",
      // Here alone the older protocol raises something else: a user error, where JSON-2 answers 404.
      rpc_err_unknown_model: "ODOO-VALIDATION",
      rpc_err_user_error: "ODOO-VALIDATION",
      rpc_fail_postgres_down: "ODOO-UNAVAILABLE",
    }
    const inside: Record<string, string> = {}
    for (const { name, response } of recorded("rpc")) {
      if ("error" in response) throw new Error(`${name} has no answer`)
      const whole = classify("res.partner/create", response)
      assert.strictEqual((whole as OdooError).code, "ODOO-UNKNOWN-ANSWER", name)
      const { error } = response.body as { readonly error?: { readonly data: unknown } }
      if (error === undefined) continue
      const bare = classify("res.partner/create", { status: 500, contentType: "application/json", body: error.data })
      inside[name] = (bare as OdooError).code
    }
    assert.deepStrictEqual(inside, wanted)
  })

  it("names the operation and Odoo's exception, never a traceback", () => {
    const error = classify("account.move/action_post", {
      status: 422,
      contentType: "application/json; charset=utf-8",
      body: {
        name: "odoo.exceptions.UserError",
        message: "Even magicians can't post nothing!",
        debug: "Traceback of it",
      },
    })
    assert.instanceOf(error, OdooError)
    assert.deepInclude(error as OdooError, {
      odooName: "odoo.exceptions.UserError",
      operation: "account.move/action_post",
    })
    assert.notInclude(JSON.stringify(error), "Traceback")
    assert.notInclude((error as OdooError).stack ?? "", "Traceback of it")
  })

  it("names every bad row of a load with its own message", () => {
    const error = errorOf("load_err_rows")
    assert.strictEqual(error.row, 1)
    assert.deepStrictEqual(error.failures?.map((failure) => [failure.row, failure.message]), [
      [1, "Value 'bogus' not found in selection field 'Address Type'"],
      [2, "Contacts require a name"],
    ])
  })

  it("does not believe the first row when Odoo blames it for the whole batch", () => {
    const message = (row: number, text: string) => ({ type: "error", message: text, rows: { from: row, to: row } })
    const load = (...messages: ReadonlyArray<unknown>) =>
      classify("account.move/load", {
        status: 200,
        contentType: "application/json",
        body: { ids: false, messages, nextrow: 0 },
      }) as OdooError
    assert.strictEqual(load(message(0, "not balanced"), message(7, "not balanced")).row, 7)
    assert.strictEqual(load(message(0, "not balanced")).row, 0)
    assert.strictEqual(load({ ...message(0, "no such task"), field: "task_id" }, message(7, "x")).row, 0)
  })

  it("takes a load with a concurrent update among its rows for contention as a whole", () => {
    const error = classify("res.partner/load", {
      status: 200,
      contentType: "application/json",
      body: {
        ids: false,
        messages: [
          { type: "error", message: "Contacts require a name", rows: { from: 3, to: 3 }, field: "name" },
          { type: "error", message: "could not serialize access due to concurrent update\n", rows: { from: 5, to: 5 } },
        ],
      },
    }) as OdooError
    assert.strictEqual(error.code, "ODOO-CONTENTION")
    assert.isTrue(error.isRetryable)
  })

  it("tells the shape of what nobody has seen yet, and nothing of what it says", () => {
    const error = classify("account.move/load", {
      status: 500,
      contentType: "application/json",
      body: { name: "odoo.addons.x.Strange", message: "IBAN BE71", rows: [{ iban: "BE71", amount: 12.5, ok: true }] },
    }) as OdooError
    assert.strictEqual(
      error.shape,
      "500 application/json {name: string of 21, message: string of 9, rows: [1 × {iban: string of 4, amount: number, ok: boolean}]}",
    )
    assert.notInclude(error.shape ?? "", "BE71")
    assert.isUndefined(errorOf("load_err_rows").shape)
    assert.strictEqual(shapeOf({ a: [[{ b: [1] }]], c: null }), "{a: [1 × [1 × {1}]], c: null}")
    assert.match(shapeOf(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, n]))), /, 28 more\}$/u)
  })

  it.effect("has what nobody has seen yet counted and logged by operation and shape", () =>
    Effect.gen(function* () {
      const odoo = new TinyOdoo()
      odoo.intercept = () => ({ secret: "BE71" })
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const gate = yield* CallGate.make({ databases: new Map([["main", { workers: 2, share: 1 }]]) })
      const calls = companyCalls(
        yield* Effect.provide(Odoo, odoo.layer),
        gate,
        { entity: "be01", database: "main", id: 1 },
        "normal",
      )
      const before = yield* Metric.value(Metric.withAttributes(odooUnknown, { operation: "res.partner/read" }))
      const error = yield* Effect.flip(calls.read("res.partner", [1], ["name"])).pipe(
        Effect.provide(Logger.layer([logger])),
      )
      const after = yield* Metric.value(Metric.withAttributes(odooUnknown, { operation: "res.partner/read" }))
      assert.strictEqual(error.code, "ODOO-UNKNOWN-ANSWER")
      assert.strictEqual(Number(after.count) - Number(before.count), 1)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "res.partner/read")
      assert.include(lines[0], "{secret: string of 4}")
      assert.notInclude(lines[0], "BE71")
    }))

  it("takes what nobody has seen yet for an unknown outcome", () => {
    const code = (status: number, contentType: string, body: unknown) =>
      (classify("res.partner/read", { status, contentType, body }) as OdooError).code
    assert.strictEqual(
      code(500, "application/json", { name: "odoo.addons.x.Strange", message: "?" }),
      "ODOO-UNKNOWN-ANSWER",
    )
    assert.strictEqual(code(200, "text/html", "<html>Log in</html>"), "ODOO-UNKNOWN-ANSWER")
    assert.strictEqual(code(418, "", ""), "ODOO-UNKNOWN-ANSWER")
    assert.strictEqual(code(502, "text/html", "<html>Bad Gateway</html>"), "ODOO-NO-ANSWER")
    assert.strictEqual(code(503, "text/html", "<html></html>"), "ODOO-UNAVAILABLE")
    assert.strictEqual(code(301, "text/html", ""), "ODOO-UNAVAILABLE")
    assert.strictEqual(
      (classify("res.partner/load", {
        status: 200,
        contentType: "application/json",
        body: { ids: false, messages: [] },
      }) as OdooError).code,
      "ODOO-UNKNOWN-ANSWER",
    )
  })
})
