/** Checks of `weir doctor` on Odoo: every database, every legal entity. They read only. */
import { Effect, Schema } from "effect"
import type { Entity, Settings } from "../config/Configuration.ts"
import { Odoo, type OdooCall } from "../odoo/Odoo.ts"
import { reasons } from "../reason/Reason.ts"
import { fail, type Finding, finding, ok, warn } from "./findings.ts"

/** The oldest Odoo with the JSON-2 API. */
const OLDEST_ODOO = 19
/** Records a check reads at most. */
const LIMIT = 1_000

const Companies = Schema.Array(Schema.Struct({
  id: Schema.Int,
  name: Schema.String,
  currency_id: Schema.Tuple([Schema.Int, Schema.String]),
}))
const Journals = Schema.Array(Schema.Struct({ id: Schema.Int, code: Schema.String }))
const Taxes = Schema.Array(Schema.Struct({ id: Schema.Int, name: Schema.String }))

/** Decoded answer of `search_read`. */
const search = <S extends Schema.Top & { readonly DecodingServices: never }>(
  schema: S,
  call: Pick<OdooCall, "database" | "model" | "context">,
  domain: NonNullable<OdooCall["args"]>[string],
  fields: ReadonlyArray<string>,
) =>
  Odoo.use((odoo) => odoo.call({ ...call, method: "search_read", args: { domain, fields, limit: LIMIT } })).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(schema)),
  )

/** Odoo answers, is new enough, and takes the key. */
const databaseFindings = (name: string, settings: Settings): Effect.Effect<ReadonlyArray<Finding>, never, Odoo> =>
  Effect.gen(function* () {
    const reached = yield* finding(
      name,
      "version",
      `Start Odoo, or correct databases.${name}.url (${settings.databases[name]?.url ?? ""}).`,
      Effect.map(
        Odoo.use((odoo) => odoo.version(name)),
        (version) =>
          (Number.parseInt(/\d+/u.exec(version)?.[0] ?? "", 10) || 0) >= OLDEST_ODOO
            ? ok(name, "version", version)
            : fail(name, "version", version, `Weir needs Odoo ${OLDEST_ODOO} or newer (JSON-2 API).`),
      ),
    )
    if (reached.some(({ level }) => level === "fail")) return reached
    const accepted = yield* finding(
      name,
      "key",
      `${reasons["ODOO-AUTH"].action} The field is databases.${name}.key.`,
      Effect.as(
        Odoo.use((odoo) => odoo.call({ database: name, model: "res.users", method: "context_get" })),
        ok(name, "key", "accepted"),
      ),
    )
    return [...reached, ...accepted]
  })

const listed = (names: ReadonlyArray<string>): string => names.length === 0 ? "none" : names.join(", ")

/** Company, currency, journals and taxes of one entity stand in Odoo as configured. */
export const entityFindings = (code: string, entity: Entity): Effect.Effect<ReadonlyArray<Finding>, never, Odoo> => {
  const { company, database } = entity
  const context = { allowed_company_ids: [company] }
  const companyCheck = finding(
    code,
    "company",
    `Correct entities.${code}.company, or give the technical user the company.`,
    Effect.map(
      search(Companies, { database, model: "res.company" }, [["id", "=", company]], ["name", "currency_id"]),
      ([found]) => {
        if (found === undefined) {
          const action = `Correct entities.${code}.company, or give the technical user the company.`
          return fail(code, "company", `Odoo shows no company ${company}`, action)
        }
        const currency = found.currency_id[1]
        return [
          ok(code, "company", `${found.name} (${company})`),
          currency === entity.currency
            ? ok(code, "currency", currency)
            : fail(code, "currency", `Odoo has ${currency}`, `Correct entities.${code}.currency (${entity.currency}).`),
        ]
      },
    ),
  )
  const journals = Object.entries(entity.journals)
  const journalCheck = finding(
    code,
    "journals",
    `Correct entities.${code}.journals, or give the technical user the right to read journals.`,
    Effect.map(
      search(
        Journals,
        { database, model: "account.journal", context },
        [["company_id", "=", company], ["code", "in", journals.map(([, journal]) => journal)]],
        ["code"],
      ),
      (found) => {
        const codes = new Set(found.map((journal) => journal.code))
        const missing = journals.filter(([, journal]) => !codes.has(journal)).map(([role, journal]) =>
          `${role} ${journal}`
        )
        return missing.length === 0
          ? ok(code, "journals", listed(journals.map(([role, journal]) => `${role} ${journal}`)))
          : fail(code, "journals", `missing: ${listed(missing)}`, `Correct entities.${code}.journals, or create them.`)
      },
    ),
  )
  const taxes = Object.entries(entity.taxes)
  const taxCheck = finding(
    code,
    "taxes",
    `Correct entities.${code}.taxes, or give the technical user the right to read taxes.`,
    Effect.map(
      search(Taxes, { database, model: "account.tax", context }, [["company_id", "=", company]], ["name"]),
      (found) => {
        const missing = taxes.filter(([, tax]) => !found.some(({ id, name }) => tax === id || tax === name))
          .map(([source, tax]) => `${source} ${tax}`)
        return missing.length === 0
          ? ok(code, "taxes", listed(taxes.map(([source, tax]) => `${source} ${tax}`)))
          : fail(code, "taxes", `missing: ${listed(missing)}`, `Correct entities.${code}.taxes, or create them.`)
      },
    ),
  )
  return Effect.all([companyCheck, journalCheck, taxCheck]).pipe(Effect.map((found) => found.flat()))
}

/** All databases, then the entities of those that answer. */
export const odooFindings = (settings: Settings): Effect.Effect<ReadonlyArray<Finding>, never, Odoo> =>
  Effect.gen(function* () {
    const names = Object.keys(settings.databases)
    const perDatabase = yield* Effect.forEach(names, (name) => databaseFindings(name, settings))
    const away = new Set(perDatabase.flat().filter(({ level }) => level === "fail").map(({ area }) => area))
    const perEntity = yield* Effect.forEach(
      Object.entries(settings.entities),
      ([code, entity]) =>
        away.has(entity.database)
          ? Effect.succeed([
            warn(code, "company", "not checked", `Mend database ${entity.database} first.`),
          ])
          : entityFindings(code, entity),
    )
    return [...perDatabase, ...perEntity].flat()
  })
