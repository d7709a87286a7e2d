/**
 * A legal entity as `weir.json` describes it, looked up in Odoo: its company, and the database ids that the codes of its
 * journals, accounts and taxes stand for. What is not there is `MASTER-DATA-MISSING`, with what there is instead.
 */
import type { Cutover } from "../Cutover.ts"
import { Effect } from "effect"
import type { Company } from "../Company.ts"
import type { CompanyCalls } from "../CompanyCalls.ts"
import type { LatePolicy } from "../Locks.ts"
import { OdooError } from "../Odoo.ts"

/** A legal entity as `weir.json` describes it. */
export interface CompanySettings {
  /** Code of the legal entity: `be01`. */
  readonly code: string
  readonly database: string
  /** `res.company` id. */
  readonly company: number
  /** ISO 4217 code; must be the company's. */
  readonly currency: string
  /** `account.journal` codes by role: `{"sales": "INV"}`. */
  readonly journals: Readonly<Record<string, string>>
  /** Sales taxes by the source's tax code: database id or exact name. */
  readonly taxes: Readonly<Record<string, number | string>>
  /** `account.account` codes by the source's code of an account and by role: `{"write-off": "642000"}`. Default none. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Purchase taxes by the source's tax code, likewise. Default none. */
  readonly purchaseTaxes?: Readonly<Record<string, number | string>>
  /** What is done with documents dated in a locked period. Default `exception`. */
  readonly latePolicy?: LatePolicy
  /** From which day on Weir writes what. */
  readonly cutover?: Cutover
  /** How records of another system are recognised. */
  readonly shadow?: { readonly fields?: Readonly<Record<string, string>> }
}

/** Most names of existing records that an error lists. */
const MAX_CANDIDATES = 20

export const missing = (operation: string, message: string): OdooError =>
  new OdooError({ code: "MASTER-DATA-MISSING", operation, message })

const listed = (candidates: ReadonlyArray<string>): string =>
  candidates.length === 0
    ? "There is none."
    : `There are: ${[...candidates].sort().slice(0, MAX_CANDIDATES).join(", ")}${
      candidates.length > MAX_CANDIDATES ? ` and ${candidates.length - MAX_CANDIDATES} more` : ""
    }.`

const checkCompany = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  const operation = "res.company/read"
  const records = yield* calls.read("res.company", [settings.company], ["name", "currency_id"]).pipe(
    // Odoo refuses the context of a company that does not exist in the same words as that of a forbidden one.
    Effect.mapError((error) =>
      error.code !== "ODOO-ACCESS" ? error : new OdooError({
        code: "ODOO-ACCESS",
        operation,
        message:
          `${settings.code}: Odoo has no company ${settings.company}, or the technical user may not use it. Correct the number in weir.json or allow the company in the user's settings.`,
      })
    ),
  )
  const company = records.get(settings.company)
  if (company === undefined) {
    return yield* missing(
      operation,
      `${settings.code}: Odoo has no company ${settings.company}. Correct it in weir.json.`,
    )
  }
  const currency = company["currency_id"]
  const code = Array.isArray(currency) ? String(currency[1]) : ""
  if (code !== settings.currency) {
    return yield* missing(
      operation,
      `${settings.code}: company ${settings.company} (${
        company["name"]
      }) keeps its books in ${code}, weir.json says ${settings.currency}.`,
    )
  }
})

const journalsOf = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  const roles = Object.entries(settings.journals)
  if (roles.length === 0) return {}
  const records = yield* calls.searchRead("account.journal", [["company_id", "=", settings.company]], ["code", "name"])
  const idByCode = new Map(records.map((record) => [String(record["code"]), record.id]))
  const journals: Record<string, number> = {}
  for (const [role, code] of roles) {
    const id = idByCode.get(code)
    if (id === undefined) {
      return yield* missing(
        "account.journal/search_read",
        `${settings.code}: company ${settings.company} has no journal "${code}" for the role "${role}". ${
          listed(records.map((record) => `${record["code"]} (${record["name"]})`))
        }`,
      )
    }
    journals[role] = id
  }
  return journals
})

/** Codes of accounts are the company's own: asked in its context, they are found as it numbers them. */
const accountsOf = Effect.fnUntraced(
  function* ({ accounts = {}, code, company }: CompanySettings, calls: CompanyCalls) {
    const wanted = Object.entries(accounts)
    if (wanted.length === 0) return {}
    const operation = "account.account/search_read"
    const codes = [...new Set(wanted.map(([, account]) => account))]
    const records = yield* calls.searchRead("account.account", [["code", "in", codes]], ["code"])
    const idByCode = new Map(records.map((record) => [String(record["code"]), record.id]))
    const ids: Record<string, number> = {}
    for (const [role, account] of wanted) {
      const id = idByCode.get(account)
      if (id === undefined) {
        return yield* missing(operation, `${code}: company ${company} has no account "${account}" for "${role}".`)
      }
      ids[role] = id
    }
    return ids
  },
)

const taxesOf = Effect.fnUntraced(function* (
  settings: CompanySettings,
  calls: CompanyCalls,
  use: "sale" | "purchase",
  wantedByCode: CompanySettings["taxes"],
) {
  const codes = Object.entries(wantedByCode)
  if (codes.length === 0) return {}
  const operation = "account.tax/search_read"
  const records = yield* calls.searchRead(
    "account.tax",
    [["company_id", "=", settings.company], ["type_tax_use", "=", use]],
    ["name"],
  )
  const taxes: Record<string, number> = {}
  for (const [code, wanted] of codes) {
    const found = records.filter((record) =>
      typeof wanted === "number" ? record.id === wanted : record["name"] === wanted
    )
    if (found.length !== 1) {
      const about = typeof wanted === "number" ? `with the id ${wanted}` : `named "${wanted}"`
      return yield* missing(
        operation,
        `${settings.code}: company ${settings.company} has ${
          found.length === 0
            ? `no ${use === "sale" ? "sales" : use} tax`
            : `${found.length} ${use === "sale" ? "sales" : use} taxes`
        } ${about} for the tax code "${code}". ${listed(records.map((record) => `${record.id} "${record["name"]}"`))}`,
      )
    }
    taxes[code] = found[0]!.id
  }
  return taxes
})

/** Asks for the company, its journals, accounts and taxes: two to five calls. */
export const companyOf = Effect.fnUntraced(function* (settings: CompanySettings, calls: CompanyCalls) {
  yield* checkCompany(settings, calls)
  const company: Company = {
    entity: settings.code,
    database: settings.database,
    id: settings.company,
    currency: settings.currency,
    journals: yield* journalsOf(settings, calls),
    ...(settings.accounts !== undefined && { accounts: yield* accountsOf(settings, calls) }),
    taxes: yield* taxesOf(settings, calls, "sale", settings.taxes),
    ...(settings.purchaseTaxes !== undefined && {
      purchaseTaxes: yield* taxesOf(settings, calls, "purchase", settings.purchaseTaxes),
    }),
    ...(settings.latePolicy !== undefined && { latePolicy: settings.latePolicy }),
    ...(settings.cutover !== undefined && { cutover: settings.cutover }),
    ...(settings.shadow?.fields !== undefined && { likeness: new Map(Object.entries(settings.shadow.fields)) }),
  }
  return company
})
