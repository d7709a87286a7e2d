/**
 * A small random business: customers in several versions, their engagements, timesheets, invoices and payments, and what
 * goes wrong with messages: twice, late, in any order, changed under the same identity, poisoned, astray.
 */
import { Random } from "../../../fixtures/generator/Random.ts"
import { toMessage } from "../../../src/broker/cloudevents.ts"
import type { ReasonCode } from "../../../src/reason/Reason.ts"
import { parent } from "../../../streams/keys.ts"
import type { Effect, Fact, Posting } from "./Fact.ts"
import type { Place } from "./Place.ts"

const encoder = new TextEncoder()
const money = (minor: number): string => `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, "0")}`

/** A moment of the month at which the publisher would have sent it if nothing were late. */
interface Draft {
  readonly fact: Fact
  readonly type: string
  readonly data: unknown
  readonly order: number
  readonly bytes?: Uint8Array
  /** Tells the business key even when the payload cannot be understood. */
  readonly partitionKey?: string
  readonly subject?: string
}

interface Event {
  readonly type: string
  readonly flow: string
  readonly key: string
  readonly data: unknown
  readonly version?: number
  readonly references?: Fact["references"]
  readonly parents: ReadonlyArray<string>
  readonly flaw?: ReasonCode | null
  readonly effect: Effect
  /** Distinguishes events of one key. */
  readonly id?: string
}

const EVENT_FLAWS = ["EVENT-INVALID", "EVENT-FUTURE-VERSION", "EVENT-SUBJECT-MISMATCH"] as const

class Book {
  readonly drafts: Array<Draft> = []
  readonly place: Place
  readonly numbers: Random
  #order = 0

  constructor(place: Place, numbers: Random) {
    this.place = place
    this.numbers = numbers
  }

  add(event: Event): Draft {
    const { entity } = this.place
    const broken = this.numbers.chance(0.03) ? this.numbers.pick(EVENT_FLAWS) : null
    const partitioned = this.numbers.chance(0.5)
    const draft: Draft = {
      type: broken === "EVENT-FUTURE-VERSION" ? `${event.type}.v9` : event.type,
      data: broken === "EVENT-INVALID" ? { ...event.data as object, key: 7 } : event.data,
      order: this.#order++,
      ...(partitioned && { partitionKey: event.key }),
      ...(broken === "EVENT-SUBJECT-MISMATCH" && { subject: `erp.${entity}.${event.type.split(".")[0]}.vanished` }),
      fact: {
        entity,
        flow: event.flow,
        eventId: `sim/${entity}#${event.id ?? `${event.type}/${event.key}/${event.version ?? 0}`}`,
        // Without a payload and partition key the position in the stream takes the place of the business key.
        key: broken === null || partitioned ? event.key : null,
        version: event.version ?? null,
        payload: broken === null ? "as made" : broken,
        references: broken === null ? event.references ?? [] : [],
        parents: broken === null ? event.parents : [],
        flaw: broken ?? event.flaw ?? null,
        effect: event.effect,
      },
    }
    this.drafts.push(draft)
    return draft
  }
}

const DAY = "2026-10-30"

const customersOf = (book: Book): ReadonlyArray<string> =>
  Array.from({ length: book.numbers.int(1, 3) }, (_, n) => {
    const key = `C${n + 1}`
    // Once in a while one that changes so often that what comes of it is set aside.
    const versions = book.numbers.chance(0.15) ? book.numbers.int(6, 12) : book.numbers.int(1, 3)
    for (let version = 1; version <= versions; version++) {
      const name = `${key} version ${version}`
      const event: Event = {
        type: "customer.upserted",
        flow: "customers",
        key,
        version,
        data: { key, name, kind: "company", address: { country: "BE" } },
        parents: [parent.customer(key)],
        effect: { of: "customer", name },
      }
      book.add(event)
      // The source sends the same version once more under another identity.
      if (book.numbers.chance(0.08)) book.add({ ...event, id: `again/${key}/${version}` })
    }
    return key
  })

const engagementsOf = (book: Book, customers: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: book.numbers.int(0, 2) }, (_, n) => {
    const { numbers, place } = book
    const key = `E${n + 1}`
    // Once in a while a customer that nobody ever announces.
    const customer = numbers.chance(0.06) ? "C-NOBODY" : numbers.pick(customers as [string])
    const foreign = numbers.chance(0.05)
    book.add({
      type: "engagement.activated",
      flow: "engagements",
      key,
      data: {
        key,
        customer,
        name: `Engagement ${key}`,
        kind: "time-and-materials",
        currency: foreign ? "CHF" : place.currency,
        contract: `SOW-${key}`,
        startDate: "2026-10-01",
        billing: { rhythm: "weekly" },
        lines: [{ key: "L", description: "Work", quantity: "10", unitPrice: "100.00", taxCode: "S" }],
        ...(numbers.chance(0.4) && { tasks: [{ key: "T", name: "Task", line: "L" }] }),
      },
      references: [{ flow: "customers", key: customer }],
      parents: [parent.customer(customer), parent.engagement(key)],
      flaw: foreign ? "PRICE-LIST-MISSING" : null,
      effect: { of: "engagement", lines: 1, untaxed: 100_000 },
    })
    return [key, customer] as const
  })

const timesheetsOf = (book: Book, engagements: ReadonlyArray<readonly [string, string]>): void => {
  const { numbers, place } = book
  for (const [engagement] of engagements) {
    for (let n = numbers.int(0, 4); n > 0; n--) {
      const key = `T-${engagement}-${n}`
      const stranger = numbers.chance(0.05)
      const hours = numbers.pick(["7.5", "8", "0.25"])
      book.add({
        type: "timesheet.approved",
        flow: "timesheets",
        key,
        data: {
          key,
          engagement,
          line: "L",
          consultant: stranger ? "nobody@example.test" : place.consultant,
          date: DAY,
          hours,
          description: "Work",
          billable: true,
        },
        references: [{ flow: "engagements", key: engagement }],
        parents: [parent.engagement(engagement)],
        flaw: stranger ? "MASTER-DATA-MISSING" : null,
        effect: { of: "timesheet", hours },
      })
    }
  }
}

const invoicesOf = (
  book: Book,
  customers: ReadonlyArray<string>,
  engagements: ReadonlyArray<readonly [string, string]>,
): void => {
  const { numbers, place } = book
  const owed: Array<{ readonly key: string; readonly customer: string; readonly total: number }> = []
  for (let n = numbers.int(0, 4); n > 0; n--) {
    const key = `I${n}`
    const [engagement, customer] = engagements.length > 0 && numbers.chance(0.5)
      ? numbers.pick(engagements as [readonly [string, string]])
      : [undefined, numbers.pick(customers as [string])]
    const count = numbers.int(1, 3)
    const untaxed = count * 10_000
    const wrong = numbers.chance(0.08)
    const tax = wrong ? 1 : untaxed * place.taxPercent / 100
    const taxCode = numbers.chance(0.04) ? "UNKNOWN" : "S"
    book.add({
      type: "invoice.requested",
      flow: "invoices",
      key,
      data: {
        key,
        customer,
        ...(engagement !== undefined && { engagement }),
        invoiceDate: DAY,
        currency: place.currency,
        lines: Array.from({ length: count }, (_, line) => ({
          key: String(line + 1),
          description: "Work",
          quantity: "1",
          unitPrice: "100.00",
          taxCode,
          ...(engagement !== undefined && line === 0 && { engagementLine: "L" }),
        })),
        totals: { untaxed: money(untaxed), tax: money(tax), total: money(untaxed + tax) },
      },
      references: [
        { flow: "customers", key: customer },
        ...(engagement === undefined ? [] : [{ flow: "engagements", key: engagement }]),
      ],
      parents: [
        parent.customer(customer),
        parent.invoice(key),
        ...(engagement === undefined ? [] : [parent.engagement(engagement)]),
      ],
      flaw: taxCode === "UNKNOWN" ? "MAPPING-MISSING" : wrong ? "TAX-MISMATCH" : null,
      effect: { of: "invoice", total: untaxed + tax },
    })
    owed.push({ key, customer, total: untaxed + tax })
  }
  paymentsOf(book, owed)
}

const paymentsOf = (
  book: Book,
  owed: ReadonlyArray<{ readonly key: string; readonly customer: string; readonly total: number }>,
): void => {
  const { numbers, place } = book
  let count = 0
  const pay = (customer: string, amount: number, invoices: ReadonlyArray<string>): void => {
    const key = `P${++count}`
    book.add({
      type: "payment.received",
      flow: "payments",
      key,
      data: { key, customer, amount: money(amount), currency: place.currency, date: DAY, invoices, method: "transfer" },
      references: [{ flow: "customers", key: customer }, ...invoices.map((key) => ({ flow: "invoices", key }))],
      parents: [parent.customer(customer), ...invoices.map(parent.invoice)],
      effect: { of: "payment", amount, invoices },
    })
  }
  for (const { customer, key, total } of owed) {
    const half = Math.floor(total / 2)
    switch (numbers.weighted({ whole: 4, halves: 2, more: 1, account: 1, none: 3 })) {
      case "whole":
        pay(customer, total, [key])
        break
      case "halves":
        pay(customer, half, [key])
        pay(customer, total - half, [key])
        break
      case "more":
        pay(customer, total + 1_000, [key])
        break
      case "account":
        pay(customer, total, [])
        break
      case "none":
    }
  }
}

/** The same identity with something else in it, or the same business under another identity. */
const changed = (draft: Draft, numbers: Random): Draft => {
  const { data, fact } = draft
  switch (numbers.weighted({ payload: 3, identity: 2, key: 1 })) {
    case "payload": {
      const other = altered(fact)
      const effect = fact.effect?.of === "customer" ? { of: "customer", ...other } as Effect : fact.effect
      return { ...draft, data: { ...data as object, ...other }, fact: { ...fact, effect, payload: "changed" } }
    }
    case "key": {
      const key = `${fact.key}X`
      const parents = fact.parents.map((name) => name === `${fact.flow.slice(0, -1)}:${fact.key}` ? `${name}X` : name)
      return { ...draft, data: { ...data as object, key }, fact: { ...fact, key, parents, payload: "other key" } }
    }
    case "identity":
      return { ...draft, fact: { ...fact, eventId: `${fact.eventId}/resent` } }
  }
}

/** A field that the flow allows to be different, so that the event stays valid. */
const altered = (fact: Fact): object => {
  switch (fact.flow) {
    case "timesheets":
      return { description: "Other work" }
    case "payments":
      return { memo: "changed" }
    case "invoices":
      return { dueDate: "2026-12-31" }
    default:
      return { name: `other ${fact.key} version ${fact.version}` }
  }
}

/** Messages that nobody could make an event of. */
const rubbish = (place: Place, numbers: Random, n: number): Draft => {
  const of = (flow: string, flaw: ReasonCode, subject: string, body: string, entity = place.entity): Draft => ({
    type: place.entity,
    data: null,
    order: n,
    subject,
    bytes: encoder.encode(`${body}${" ".repeat(n)}`),
    fact: {
      entity,
      flow,
      eventId: null,
      key: null,
      version: null,
      payload: "",
      references: [],
      parents: [],
      flaw,
      effect: null,
    },
  })
  const stray = (subject: string, flaw: ReasonCode) =>
    of(subject.replaceAll(".", "-"), flaw, subject, "{}", "_unrouted")
  return numbers.pick([
    of("customers", "EVENT-NOT-JSON", `erp.${place.entity}.customer.upserted`, "not json "),
    of("invoices", "EVENT-NOT-CLOUDEVENT", `erp.${place.entity}.invoice.requested`, "[]"),
    stray("erp.zz99.customer.upserted", "EVENT-UNKNOWN-ENTITY"),
    stray(`erp.${place.entity}.weather.changed`, "EVENT-UNKNOWN-TYPE"),
  ])
}

const publish = (draft: Draft, atMillis: number, suffix: string): Posting => {
  const { bytes, data, fact, partitionKey, type } = draft
  const subject = draft.subject ?? `erp.${fact.entity}.${type.split(".").slice(0, 2).join(".")}`
  if (bytes !== undefined) {
    const publication = {
      subject,
      headers: {},
      data: bytes,
      messageId: `rubbish/${draft.type}/${draft.order}${suffix}`,
    }
    return { _tag: "Publish", atMillis, fact, publication }
  }
  const [source = "", ...id] = fact.eventId!.split("#")
  const message = toMessage({
    specversion: "1.0",
    id: id.join("#"),
    source,
    type,
    ...(fact.version === null ? {} : { sequence: fact.version }),
    ...(partitionKey === undefined ? {} : { partitionkey: partitionKey }),
    data,
  }, subject)
  const messageId = `${fact.eventId}${fact.payload === "as made" ? "" : `/${fact.payload}`}${suffix}`
  return { _tag: "Publish", atMillis, fact, publication: { ...message, messageId } }
}

/** So many customers that nobody refers to, within a second. */
const crowdOf = (book: Book, size: number, atMillis: number): ReadonlyArray<Posting> => {
  for (let n = 1; n <= size; n++) {
    const key = `X${n}`
    book.add({
      type: "customer.upserted",
      flow: "customers",
      key,
      version: 1,
      data: { key, name: key, kind: "company", address: { country: "BE" } },
      parents: [parent.customer(key)],
      effect: { of: "customer", name: key },
    })
  }
  return book.drafts.map((draft, n) => publish(draft, atMillis + Math.floor(n * 1_000 / size), ""))
}

/** Everything that is published within `spanMillis`. `crowd`: customers of the first place that come all at once. */
export const business = (
  seed: number,
  places: ReadonlyArray<Place>,
  spanMillis: number,
  crowd: number,
): ReadonlyArray<Posting> => {
  const postings: Array<Posting> = []
  if (crowd > 0) {
    const [place] = places
    const numbers = new Random(seed, "crowd")
    if (place !== undefined) postings.push(...crowdOf(new Book(place, numbers), crowd, numbers.int(0, spanMillis / 2)))
  }
  for (const place of places) {
    const numbers = new Random(seed, "business", place.entity)
    const book = new Book(place, numbers)
    const customers = customersOf(book)
    const engagements = engagementsOf(book, customers)
    timesheetsOf(book, engagements)
    invoicesOf(book, customers, engagements)
    const made = [...book.drafts]
    for (const draft of made) {
      if (numbers.chance(0.05) && draft.fact.flaw === null) book.drafts.push(changed(draft, numbers))
    }
    for (let n = numbers.int(0, 3); n > 1; n--) book.drafts.push(rubbish(place, numbers, book.drafts.length))

    // From everything in its order to everything in any order, from one burst to a trickle.
    const disorder = numbers.pick([0, 0.1, 1])
    const span = numbers.pick([200, spanMillis / 3, spanMillis])
    const begin = numbers.int(0, Math.max(0, spanMillis - span))
    const moment = (n: number): number => {
      const orderly = n / book.drafts.length
      return Math.floor(begin + span * (orderly * (1 - disorder) + numbers.int(0, 999) / 1_000 * disorder))
    }
    book.drafts.forEach((draft, n) => {
      const at = moment(n)
      postings.push(publish(draft, at, ""))
      if (numbers.chance(0.08)) postings.push(publish(draft, at + numbers.int(0, spanMillis / 2), "~2"))
      if (numbers.chance(0.04)) postings.push(publish(draft, at + numbers.int(0, 2_000), ""))
    })
  }
  return postings.sort((a, b) => a.atMillis - b.atMillis)
}
