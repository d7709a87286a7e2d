/**
 * What an answer of Odoo's JSON-2 API means. Pure: status, content type and body in, the bare value or an `OdooError`
 * out, for the HTTP adapter and the stand-in alike.
 *
 * The status alone cannot tell: Odoo answers 404 when PostgreSQL is down and 500 for a misspelt field. What decides is
 * `name`, the Python exception (Odoo 19, `odoo/http.py`, `Json2Dispatcher.handle_error`), the content type of a 404, and
 * for `load`, which swallows every failure into a 200, the text of PostgreSQL's own messages. The traceback in `debug` is
 * never kept. Checked against every recorded answer in `fixtures/odoo/recordings`.
 */
import { type Json, OdooError } from "./Odoo.ts"
import { shapeOf } from "./unknown.ts"
import type { ReasonCode } from "../reason/Reason.ts"

export interface Answer {
  readonly status: number
  /** The `Content-Type` header, empty when there is none. */
  readonly contentType: string
  /** The parsed JSON when the content type is JSON and it parses; otherwise the text. */
  readonly body: unknown
}

/** Longest message that is kept: Odoo repeats whole record lists in some. In characters. */
const MAX_MESSAGE = 600
/** Most rows of a failed `load` that are named; the rest shows up when the named ones are gone. */
const MAX_FAILURES = 200

const byName = new Map<string, ReasonCode>([
  ["odoo.exceptions.UserError", "ODOO-VALIDATION"],
  ["odoo.exceptions.ValidationError", "ODOO-VALIDATION"],
  ["odoo.exceptions.RedirectWarning", "ODOO-VALIDATION"],
  ["odoo.exceptions.MissingError", "ODOO-RECORD-MISSING"],
  ["odoo.exceptions.AccessError", "ODOO-ACCESS"],
  ["odoo.exceptions.AccessDenied", "ODOO-AUTH"],
  ["odoo.exceptions.LockError", "ODOO-CONTENTION"],
  ["odoo.exceptions.ConcurrencyError", "ODOO-CONTENTION"],
  ["odoo.http.SessionExpiredException", "ODOO-AUTH"],
  ["werkzeug.exceptions.Unauthorized", "ODOO-AUTH"],
  ["werkzeug.exceptions.Forbidden", "ODOO-ACCESS"],
  ["werkzeug.exceptions.TooManyRequests", "ODOO-UNAVAILABLE"],
  ["werkzeug.exceptions.ServiceUnavailable", "ODOO-UNAVAILABLE"],
  ["werkzeug.exceptions.InternalServerError", "ODOO-UNKNOWN-ANSWER"],
  ["werkzeug.exceptions.BadGateway", "ODOO-NO-ANSWER"],
  ["werkzeug.exceptions.GatewayTimeout", "ODOO-NO-ANSWER"],
  ["psycopg2.errors.SerializationFailure", "ODOO-CONTENTION"],
  ["psycopg2.errors.DeadlockDetected", "ODOO-CONTENTION"],
  ["psycopg2.errors.LockNotAvailable", "ODOO-CONTENTION"],
  ["psycopg2.errors.QueryCanceled", "ODOO-CONTENTION"],
  ["psycopg2.InterfaceError", "ODOO-UNAVAILABLE"],
  ["psycopg2.OperationalError", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.AdminShutdown", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.CrashShutdown", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.CannotConnectNow", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.TooManyConnections", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.IdleInTransactionSessionTimeout", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.ReadOnlySqlTransaction", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.DiskFull", "ODOO-UNAVAILABLE"],
  ["psycopg2.errors.UniqueViolation", "ODOO-VALIDATION"],
  ["psycopg2.errors.ForeignKeyViolation", "ODOO-VALIDATION"],
  ["psycopg2.errors.NotNullViolation", "ODOO-VALIDATION"],
  ["psycopg2.errors.CheckViolation", "ODOO-VALIDATION"],
  ["psycopg2.pool.PoolError", "ODOO-UNAVAILABLE"],
  ["builtins.MemoryError", "ODOO-UNAVAILABLE"],
  ["builtins.ConnectionError", "ODOO-UNAVAILABLE"],
  ["builtins.ConnectionResetError", "ODOO-UNAVAILABLE"],
  ["builtins.ConnectionRefusedError", "ODOO-UNAVAILABLE"],
  ["builtins.TimeoutError", "ODOO-UNAVAILABLE"],
  ["builtins.OSError", "ODOO-UNAVAILABLE"],
])

/** PostgreSQL's words for "somebody else writes this too", which no translation reaches. */
const contention =
  /could not serialize access|deadlock detected|canceling statement due to (?:lock|statement) timeout|could not obtain lock/u
/** PostgreSQL's and psycopg2's words for a connection that died. */
const databaseAway =
  /terminating connection due to|server closed the connection|connection already closed|cursor already closed|connection to server at/u
/** Odoo's words for missing rights, in English as the technical user reads them. */
const forbidden =
  /You are not allowed to |stumbled upon some top-secret records|Access to unauthorized or invalid companies/u
/** Odoo's words for a Python exception inside `load`, other than a user error. */
const defectInLoad = /^Unknown error during import/u

/** The reason for an exception name, undefined when nobody has seen its kind yet. */
const codeOfName = (name: string, message: string): ReasonCode | undefined => {
  const known = byName.get(name)
  // A server action or an override may wrap the failure of a nested load in a user error.
  if (known === "ODOO-VALIDATION" && contention.test(message)) return "ODOO-CONTENTION"
  if (known !== undefined) return known
  // A bad request (unknown model, method, argument), a misspelt field, a wrong type: the call was wrong, not the data.
  if (/^(?:werkzeug\.exceptions|builtins|psycopg2\.errors)\./u.test(name)) return "ODOO-REFUSED-CALL"
  return undefined
}

/** The reason for a status without an exception name: a page of Odoo's HTTP layer or of a proxy in front of it. */
const codeOfStatus = (status: number, html: boolean): ReasonCode => {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
      return "ODOO-REFUSED-CALL"
    case 401:
    case 407:
      return "ODOO-AUTH"
    case 404:
      // "No database is selected": the name is wrong, or PostgreSQL is down. JSON would have carried a name.
      return html ? "ODOO-UNAVAILABLE" : "ODOO-UNKNOWN-ANSWER"
    case 429:
    case 503:
      return "ODOO-UNAVAILABLE"
    case 408:
    case 502:
    case 504:
      return "ODOO-NO-ANSWER"
    default:
      // A redirect means a wrong url (http for https, another host): the call did not reach Odoo.
      return status >= 300 && status < 400 ? "ODOO-UNAVAILABLE" : "ODOO-UNKNOWN-ANSWER"
  }
}

interface LoadMessage {
  readonly type?: unknown
  readonly message?: unknown
  readonly field?: unknown
  readonly rows?: { readonly from?: unknown }
}

export interface RowFailure {
  /** Row of the call's `data`, counted from 0: the record's first row. */
  readonly row: number
  readonly code: ReasonCode
  readonly message: string
}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const short = (message: string): string => {
  const text = message.trim()
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
}

const codeOfLoadMessage = (message: string): ReasonCode => {
  if (contention.test(message)) return "ODOO-CONTENTION"
  if (databaseAway.test(message)) return "ODOO-UNAVAILABLE"
  if (forbidden.test(message)) return "ODOO-ACCESS"
  if (defectInLoad.test(message)) return "ODOO-REFUSED-CALL"
  return "ODOO-VALIDATION"
}

/**
 * The rows that a failed `load` names. When the batch failed as a whole and again record by record, Odoo puts the
 * batch's message in front and blames the first record for it (`BaseModel.load`, `global_error_message`). With others
 * named, such a first one is left out: if it is guilty too, the next call names it alone.
 */
const failuresOf = (messages: ReadonlyArray<unknown>): ReadonlyArray<RowFailure> => {
  const failures: Array<RowFailure> = []
  let blamed = false
  for (const each of messages) {
    if (!isRecord(each)) continue
    const { field, message, rows, type }: LoadMessage = each
    if (type !== "error" || typeof message !== "string" || typeof rows?.from !== "number") continue
    // A message about a field comes from converting that very row.
    if (failures.length === 0) blamed = field === undefined
    else if (rows.from === failures[0]?.row) blamed = false
    failures.push({ row: rows.from, code: codeOfLoadMessage(message), message: short(message) })
    if (failures.length === MAX_FAILURES) break
  }
  return blamed && failures.length > 1 ? failures.slice(1) : failures
}

/** A `load` that made nothing: the worst reason of all its messages, and the rows it names. */
const classifyLoad = (operation: string, messages: ReadonlyArray<unknown>): OdooError => {
  const failures = failuresOf(messages)
  const worst = failures.find((each) => each.code === "ODOO-CONTENTION" || each.code === "ODOO-UNAVAILABLE")
  const first = worst ?? failures[0]
  if (first === undefined) {
    return new OdooError({
      code: "ODOO-UNKNOWN-ANSWER",
      operation,
      message: "load made no record and named no row",
    })
  }
  return new OdooError({ code: first.code, operation, message: first.message, row: first.row, failures })
}

/**
 * The bare value of an answer, or why there is none.
 *
 * @param operation `<model>/<method>`: for `load`, an answer `{ids: false, messages}` is a failure although it is a 200.
 */
export const classify = (operation: string, answer: Answer): Json | OdooError => {
  const result = classifyAnswer(operation, answer)
  if (!(result instanceof OdooError) || result.code !== "ODOO-UNKNOWN-ANSWER") return result
  const { body, contentType, status } = answer
  const shape = `${status} ${contentType === "" ? "no content type" : contentType} ${shapeOf(body)}`
  return new OdooError({ ...fieldsOf(result), shape })
}

const fieldsOf = ({ code, message, odooName, operation }: OdooError) => ({
  code,
  operation,
  message,
  ...(odooName !== undefined && { odooName }),
})

const classifyAnswer = (operation: string, answer: Answer): Json | OdooError => {
  const { body, contentType, status } = answer
  const json = contentType.startsWith("application/json")
  if (status === 200 && json) {
    if (operation.endsWith("/load") && isRecord(body) && body.ids === false) {
      return classifyLoad(operation, Array.isArray(body.messages) ? body.messages : [])
    }
    // Another protocol's envelope, with a failure or without: whoever sent it did not understand the call as it was meant.
    if (isRecord(body) && "jsonrpc" in body) {
      return new OdooError({ code: "ODOO-UNKNOWN-ANSWER", operation, message: "the answer is a JSON-RPC envelope" })
    }
    // A truncated body does not parse and stays text although the header says JSON; a JSON string answer is text too.
    return body as Json
  }
  if (json && isRecord(body) && typeof body.name === "string" && typeof body.message === "string") {
    const message = short(body.message)
    return new OdooError({
      code: codeOfName(body.name, message) ?? "ODOO-UNKNOWN-ANSWER",
      operation,
      message,
      odooName: body.name,
    })
  }
  const html = contentType.startsWith("text/html")
  return new OdooError({
    code: codeOfStatus(status, html),
    operation,
    message: status === 404 && html
      ? "Odoo serves no such database, or PostgreSQL is down. Check the database's name in weir.json, then Odoo's log."
      : status >= 300 && status < 400
      ? `Odoo redirects (${status}). Check the database's url in weir.json: scheme, host and port.`
      : `Odoo answered ${status} (${contentType === "" ? "no content type" : contentType}) without an exception name`,
  })
}

/** Errors that are raised before a byte of the request has left: nothing can have happened in Odoo. */
const notSent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/u

/**
 * A call that got no answer at all, by the code of Node's or undici's error. Unless the connection was never made, the
 * call may have been committed, or will be.
 */
export const classifyTransport = (operation: string, code: string, message: string): OdooError =>
  new OdooError({
    code: notSent.test(code) ? "ODOO-UNAVAILABLE" : "ODOO-NO-ANSWER",
    operation,
    message: short(`${code === "" ? "connection failed" : code}: ${message}`),
  })
