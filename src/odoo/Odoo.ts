/**
 * The port to Odoo's external API: JSON-2 over HTTP (`Json2Odoo.ts`) or the stand-in in this process
 * (`fixtures/odoo/`). Both pass `test/odoo/Odoo.suite.ts`, and so does a real Odoo 19.
 *
 * One method: a call is one SQL transaction in Odoo, calls cannot be chained
 * (https://www.odoo.com/documentation/19.0/developer/reference/external_api.html). What a flow does with it is in
 * `src/odoo/plan/`.
 */
import { Context, type Effect, Schema } from "effect"
import { dispositionOf, type ReasonCode, reasons } from "../reason/Reason.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

export interface OdooCall {
  /** Name of the database in `weir.json`. */
  readonly database: string
  /** For example `res.partner`. */
  readonly model: string
  /** For example `load`. */
  readonly method: string
  /** Records the method is called on; absent for model methods. */
  readonly ids?: ReadonlyArray<number>
  /** Named arguments. */
  readonly args?: { readonly [name: string]: Json }
  /** Odoo's context; `allowed_company_ids` decides the company. */
  readonly context?: { readonly [name: string]: Json }
}

/**
 * A call that did not give its answer. `code` says why and with it, through the table of reasons, what to do. `message`
 * is what Odoo tells its users; tracebacks never get this far.
 */
export class OdooError extends Schema.TaggedError<OdooError>()("OdooError", {
  code: Schema.Literals(Object.keys(reasons) as ReadonlyArray<ReasonCode>),
  /** `<model>/<method>` */
  operation: Schema.String,
  message: Schema.String,
  /** Python's exception name as Odoo reports it, for example `odoo.exceptions.ValidationError`. */
  odooName: Schema.optionalKey(Schema.String),
  /** Of an answer that nobody has seen yet: names and types in it, never a value. */
  shape: Schema.optionalKey(Schema.String),
  /** For `load`: the failing row of the call, counted from 0, when Odoo says so. */
  row: Schema.optionalKey(Schema.Int),
  /** For `load`: all rows that Odoo names, each with its own reason. Not always all that are bad. */
  failures: Schema.optionalKey(Schema.Array(Schema.Struct({
    row: Schema.Int,
    code: Schema.Literals(Object.keys(reasons) as ReadonlyArray<ReasonCode>),
    message: Schema.String,
  }))),
}) {
  /** Repeating the same idempotent call may help. */
  get isRetryable(): boolean {
    const disposition = dispositionOf(this.code)
    return disposition === "retry" || disposition === "readback"
  }
}

export class Odoo extends Context.Service<Odoo, {
  /** The bare JSON answer. Always ends: with an answer, an error, or `ODOO-NO-ANSWER` after the timeout. */
  readonly call: (call: OdooCall) => Effect.Effect<Json, OdooError>
  /** Odoo's version, for example `19.0`; needs no key. */
  readonly version: (database: string) => Effect.Effect<string, OdooError>
}>()("weir/odoo/Odoo") {}
