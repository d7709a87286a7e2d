/** What `weir.json` says of one legal entity: the books it is, and how they are closed, proven and taken over. */
import { Schema } from "effect"
import { Currency } from "../../schemas/money.ts"
import { absent, day, hour, optional, positive, regionName } from "./fields.ts"

/** How an entity in mode `shadow` is held against what another system writes. */
export const Shadow = Schema.Struct({
  hour: hour(5, "Hour of the day in UTC from which on the day's look is made."),
  days: optional(positive, 40, "Days that a look goes back, 1 or more."),
  fields: absent(
    Schema.Record(Schema.String, Schema.NonEmptyString),
    "By Odoo's model, the field in which the other system keeps its source's number: " +
      '`{"account.move": "x_source_number"}`. Left out: the reference fields that Weir itself would write.',
  ),
}).annotate({ description: "How an entity in mode `shadow` is looked at." })

/** From which day on Weir writes what another system wrote before. */
export const Cutover = Schema.Struct({
  from: Schema.Record(Schema.String, day).annotate({
    description:
      "First day by flow. Documents dated earlier are the other system's: what it made is recognised and taken " +
      "over as it is, the rest becomes exceptions. A flow that is not named is Weir's from the beginning.",
  }),
  journals: absent(Schema.Record(Schema.String, day), "A later first day for documents of a journal, by its role."),
}).annotate({ description: "Cut-over from another system, by flow, journal and date." })

/** When an entity closes its books. */
export const Close = Schema.Struct({
  timeZone: optional(
    Schema.String.check(Schema.isPattern(/^[A-Za-z][A-Za-z0-9_+/-]*$/u)).annotate({
      expected: "a time zone like Europe/Brussels",
    }),
    "UTC",
    "Time zone of the days, IANA name.",
  ),
  days: optional(
    Schema.Array(
      Schema.Int.check(Schema.isBetween({ minimum: -31, maximum: 31 })).annotate({
        expected: "a day, 1 to 31 or -31 to -1",
      }),
    ),
    [],
    "Days of every month: 1 is the first, -1 the last.",
  ),
  ranges: optional(
    Schema.Array(Schema.Struct({
      from: day.annotate({ description: "First day." }),
      to: day.annotate({ description: "Last day, itself included." }),
    })),
    [],
    "Further days, from the first to the last, both included: a year end, an audit.",
  ),
}).annotate({
  description: "When the entity closes its books: its calls to Odoo then get a larger share of the database, and " +
    "backfills there step back. `weir close` says so beside it. Left out: only `weir close`.",
})

/** When an entity's months are proven complete without being asked for. */
export const Proof = Schema.Struct({
  hour: hour(3, "Hour of the day in UTC from which on the day's proofs are made."),
  deadlineDays: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 27 })).annotate({ expected: "days, 1 to 27" }),
    5,
    "Days after a month's end within which it is to be proven complete; after them `weir_proof_overdue` is 1.",
  ),
}).annotate({
  description:
    "Proves completeness every day: the current month, and the month before until it is complete. Left out: " +
    "only `weir reconcile`.",
})

/** Taxes in Odoo by the source's tax code. */
const byTaxCode = Schema.Record(
  Schema.String,
  Schema.Union([positive, Schema.NonEmptyString]).annotate({ expected: "a tax's database id or its exact name" }),
)

/** One legal entity, a `res.company`. */
export const Entity = Schema.Struct({
  database: Schema.NonEmptyString.annotate({ description: "Which of `databases` it lives in." }),
  company: positive.annotate({ description: "Database id of the `res.company` in Odoo." }),
  currency: Currency.annotate({
    description: "Currency of the company's books, ISO 4217.",
    expected: "an ISO 4217 currency code like EUR",
  }),
  journals: optional(
    Schema.Record(Schema.String, Schema.NonEmptyString),
    {},
    "Code of the journal in Odoo by role (`sales`, `bank`, `purchase`, `misc` …).",
  ),
  taxes: optional(
    byTaxCode,
    {},
    "Odoo's tax, by database id or exact name, by the source's tax code.",
  ),
  accounts: absent(
    Schema.Record(Schema.String, Schema.NonEmptyString),
    "Code of the account in Odoo by the source's code of an account (`accrued-income`) and by role: `write-off`, " +
      "`payment-fee`, `settlement` (where payouts of payment providers arrive), `expense-<category>`.",
  ),
  purchaseTaxes: absent(
    byTaxCode,
    "Odoo's purchase tax, by database id or exact name, by the source's tax code: for expenses.",
  ),
  flows: absent(
    Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1)).annotate({
      expected: "a list of at least one flow",
    }),
    "Names of the flows that it takes (`docs/flows/`). Left out: all. Events of others become exceptions.",
  ),
  region: absent(
    regionName,
    "Region whose runners it runs on (`cluster.region`). Left out: any runner. A process on its own runs every region.",
  ),
  latePolicy: optional(
    Schema.Literals(["exception", "next-open-day", "approval"]),
    "exception",
    "What is done with a document whose accounting date lies in a period that is locked in Odoo. `exception`: its draft " +
      "stands, people decide. `next-open-day`: it is booked on the first open day, with its own date in its reference " +
      "text. `approval`: its draft waits for `weir period approve <entity> <yyyy-mm>`, then as `next-open-day`.",
  ),
  close: Schema.optionalKey(Close),
  proof: Schema.optionalKey(Proof),
  shadow: Schema.optionalKey(Shadow),
  cutover: Schema.optionalKey(Cutover),
  mode: optional(
    Schema.Literals(["full", "essential", "drafts", "hold", "shadow"]),
    "full",
    "Mode at the entity's very first start: `full`, `essential` (critical lanes only), `drafts` (create, never post), `hold`, " +
      "`shadow` (another system writes, Weir looks). " +
      "Afterwards the ledger's counts.",
  ),
}).annotate({ description: "One legal entity." })
export type Entity = typeof Entity.Type
