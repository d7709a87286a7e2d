/** Checks of `weir doctor` on Odoo: every database, every legal entity. They read only. */
import { Clock, Effect, Schema } from "effect"
import type { Settings } from "../config/Configuration.ts"
import type { Entity } from "../config/entity.ts"
import { keyStanding } from "../odoo/keys.ts"
import { marksOf, odooProblem } from "../odoo/marks.ts"
import { Odoo, type OdooCall, type OdooError } from "../odoo/Odoo.ts"
import { adviceOf, credentialOf } from "../operate/Credentials.ts"
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
/** Journals and accounts. */
const Coded = Schema.Array(Schema.Struct({ id: Schema.Int, code: Schema.String }))
/** Answer of `fields_get`: what each field is, by its name. */
const Fields = Schema.Record(Schema.String, Schema.Unknown)
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
    if (accepted.some(({ level }) => level === "fail")) return [...reached, ...accepted]
    const [age, mark] = yield* Effect.all([keyFindings(name), markFindings(name, settings)])
    return [...reached, ...accepted, ...age, ...mark]
  })

/** How old the key is and when it ends. */
const keyFindings = (name: string): Effect.Effect<ReadonlyArray<Finding>, never, Odoo> =>
  finding(
    name,
    "age of key",
    "Give the technical user the right to read its own API keys; Odoo gives it to every user.",
    Effect.gen(function* () {
      const { endsAtMillis, keys, madeAtMillis } = yield* keyStanding(yield* Odoo, name)
      const credential = credentialOf(
        { kind: "odoo-key", name, owner: "" },
        yield* Clock.currentTimeMillis,
        madeAtMillis,
        endsAtMillis,
      )
      const age = credential.ageDays === null ? "made nobody knows when" : `${credential.ageDays} days old`
      const end = credential.endsAt === null ? "does not end" : `ends on ${credential.endsAt.slice(0, 10)}`
      const several = keys > 1 ? `; the first of ${keys} keys of this user` : ""
      const detail = `${age}, ${end}${several}`
      const advice = adviceOf(credential)
      return advice === null ? ok(name, "age of key", detail) : warn(name, "age of key", detail, advice)
    }),
  )

/** What the Odoo is marked as, beside what the configuration is for. */
const markFindings = (
  name: string,
  { environment }: Settings,
): Effect.Effect<ReadonlyArray<Finding>, never, Odoo> =>
  finding(
    name,
    "environment",
    "Give the technical user the right to read contact tags.",
    Effect.gen(function* () {
      const marks = yield* marksOf(yield* Odoo, name)
      const problem = odooProblem(name, environment, marks)
      if (problem !== null) return fail(name, "environment", marks.join(", "), problem)
      if (marks.length > 0 || environment === undefined) {
        return ok(name, "environment", marks.join(", ") || "not marked")
      }
      return warn(
        name,
        "environment",
        "not marked",
        `Make a contact tag "weir: ${environment}" in that Odoo (Contacts, Configuration, Contact Tags): Weir then refuses ` +
          "to work on a copy of it by mistake.",
      )
    }),
  )

/** A field of a section and what it names in Odoo. */
type Named = readonly [string, string | number]

const listed = (names: ReadonlyArray<string>): string => names.length === 0 ? "none" : names.join(", ")

/** Company, currency, journals, taxes of either use, accounts and another system's fields of one entity stand in Odoo as configured. */
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
  /** All that the configuration names, or what of it is missing. */
  const judged = (check: string, named: ReadonlyArray<Named>, missing: ReadonlyArray<Named>, action: string): Finding =>
    missing.length === 0
      ? ok(code, check, listed(named.map((one) => one.join(" "))))
      : fail(code, check, `missing: ${listed(missing.map((one) => one.join(" ")))}`, action)
  /** What a section of the entity names, by code or otherwise, is among what Odoo finds. */
  const namedCheck = <A>(
    section: "journals" | "taxes" | "purchaseTaxes" | "accounts",
    what: string,
    found: Effect.Effect<ReadonlyArray<A>, OdooError | Schema.SchemaError, Odoo>,
    is: (one: A, named: string | number) => boolean,
  ) =>
    finding(
      code,
      section,
      `Correct entities.${code}.${section}, or give the technical user the right to read ${what}.`,
      Effect.map(found, (found) => {
        const named = Object.entries(entity[section] ?? {})
        const missing = named.filter(([, name]) => !found.some((one) => is(one, name)))
        return judged(section, named, missing, `Correct entities.${code}.${section}, or create them.`)
      }),
    )
  const hasCode = (one: { readonly code: string }, named: string | number) => one.code === named
  const journalCheck = namedCheck(
    "journals",
    "journals",
    search(
      Coded,
      { database, model: "account.journal", context },
      [["company_id", "=", company], ["code", "in", Object.values(entity.journals)]],
      ["code"],
    ),
    hasCode,
  )
  const taxCheck = (section: "taxes" | "purchaseTaxes", use: "sale" | "purchase") =>
    namedCheck(
      section,
      "taxes",
      search(
        Taxes,
        { database, model: "account.tax", context },
        [["company_id", "=", company], ["type_tax_use", "=", use]],
        ["name"],
      ),
      ({ id, name }, tax) => tax === id || tax === name,
    )
  const accountCheck = namedCheck(
    "accounts",
    "accounts",
    search(
      Coded,
      { database, model: "account.account", context },
      [["code", "in", Object.values(entity.accounts ?? {})]],
      ["code"],
    ),
    hasCode,
  )
  const kept = Object.entries(entity.shadow?.fields ?? {})
  const shadowCheck = finding(
    code,
    "shadow.fields",
    `Correct entities.${code}.shadow.fields, or give the technical user the right to read those models.`,
    Effect.gen(function* () {
      const missing = yield* Effect.filter(
        kept,
        ([model, field]) =>
          Odoo.use((odoo) =>
            odoo.call({
              database,
              model,
              method: "fields_get",
              args: { allfields: [field], attributes: ["type"] },
              context,
            })
          ).pipe(
            Effect.flatMap(Schema.decodeUnknownEffect(Fields)),
            Effect.map((fields) => fields[field] === undefined),
          ),
      )
      return judged(
        "shadow.fields",
        kept,
        missing,
        `Correct entities.${code}.shadow.fields: the other system's number is looked for in a field of that name.`,
      )
    }),
  )
  return Effect.all([
    companyCheck,
    journalCheck,
    taxCheck("taxes", "sale"),
    ...entity.purchaseTaxes === undefined ? [] : [taxCheck("purchaseTaxes", "purchase")],
    ...entity.accounts === undefined ? [] : [accountCheck],
    ...kept.length === 0 ? [] : [shadowCheck],
  ]).pipe(Effect.map((found) => found.flat()))
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
