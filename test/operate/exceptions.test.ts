import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hire } from "../../fixtures/odoo/employees.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Odoo } from "../../src/odoo/Odoo.ts"
import { publication, publish, tallies } from "../simulation/World.ts"
import { customer, engagement, invoice } from "../streams/samples.ts"
import { command, office, request, tokenFor, weir } from "./Office.ts"

/** Waits in real time: what was asked for is on its way through the actor. */
const eventually = <A, E, R>(question: Effect.Effect<A, E, R>, holds: (answer: A) => boolean) =>
  question.pipe(
    Effect.tap((answer) => holds(answer) ? Effect.void : Effect.sleep("20 millis")),
    Effect.repeat({ until: holds, times: 500 }),
    Effect.tap((answer) => Effect.sync(() => assert.isTrue(holds(answer), JSON.stringify(answer)))),
  )

const started = eventually(request("/readyz"), ({ status }) => status === 200)
const list = (query = "") => request(`/v1/exceptions${query}`)
const parked = (count: number) => eventually(list(), ({ body }) => body.items.length === count)
const applied = (flow: string) => Effect.map(tallies(), (rows) => rows.get(flow)?.applied ?? 0)
const path = (event: string, entity = "be01") => `/v1/entities/${entity}/exceptions/${encodeURIComponent(event)}`
const orders = "/v1/entities/be01/exceptions"

/** An invoice whose promised totals are not what Odoo computes: its draft stands, and it is an exception. */
const mismatched = (n: number) => ({
  ...invoice,
  key: `INV-${n}`,
  engagement: undefined,
  lines: [{ key: "1", description: "Senior", quantity: "1", unitPrice: "100", taxCode: "S21" }],
  totals: { untaxed: "100", tax: "20.5", total: "120.5" },
})
const wrongTotals = (n: number) =>
  publication("invoice.requested", mismatched(n), { source: "//billing/a b", id: `${n}#x` })
const eventOf = (n: number) => `//billing/a b#${n}#x`
const customerEvent = publication("customer.upserted", customer, { sequence: 1 })
/** Not an e-mail address: it never gets past the schema, and its key cannot be read. */
const invalid = (n: number) =>
  publication("customer.upserted", { ...customer, key: `CUS-${n}`, email: "nobody" }, { id: `bad-${n}`, sequence: 1 })

describe("the list of exceptions", () => {
  it.live("is the same through both doors, filtered and page by page", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(customerEvent, wrongTotals(1), wrongTotals(2), invalid(3))
      const { body } = yield* parked(3)
      assert.sameMembers(body.items.map(({ code }: { code: string }) => code), [
        "TOTALS-MISMATCH",
        "TOTALS-MISMATCH",
        "EVENT-INVALID",
      ])
      const said = yield* weir(["exceptions", "list", "--json"])
      assert.deepStrictEqual(JSON.parse(said.stdout).items, body.items)
      const first = yield* list("?limit=2")
      const second = yield* list(`?limit=2&after=${first.body.next}`)
      assert.deepStrictEqual([...first.body.items, ...second.body.items], body.items)
      assert.strictEqual(second.body.next, null)
      for (
        const [query, count] of [
          ["?flow=invoices", 2],
          ["?code=EVENT-INVALID", 1],
          ["?entity=uk01", 0],
          ["?key=INV-2", 1],
          ["?queue=references", 0],
          ["?queue=rejected&flow=customers", 1],
          ["?state=waiting", 0],
          [`?fingerprint=${body.items[0].fingerprint}`, body.items[0].code === "EVENT-INVALID" ? 1 : 2],
        ] as const
      ) assert.strictEqual((yield* list(query)).body.items.length, count, query)
      for (const wrong of ["?after=nonsense", "?limit=0", "?limit=x", "?code=NONSENSE", "?entity=zz99"]) {
        assert.include([400, 404], (yield* list(wrong)).status, wrong)
      }
      const groups = yield* weir(["exceptions", "groups", "--json"])
      const { items, total } = JSON.parse(groups.stdout)
      assert.strictEqual(total, 3)
      assert.deepInclude(items[0], { entity: "be01", flow: "invoices", code: "TOTALS-MISMATCH", count: 2 })
      assert.include((yield* weir(["exceptions", "groups"])).stdout, "3 exceptions in 2 groups.")
    }).pipe(Effect.provide(office().layer)))

  it.live("tells what waits, and for what", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(publication("invoice.requested", { ...mismatched(1), engagement: engagement.key }))
      const { body } = yield* eventually(list("?state=waiting"), ({ body }) => body.items.length === 1)
      assert.deepInclude(body.items[0], { state: "waiting", queue: "references", code: "REFERENCE-MISSING" })
      assert.deepStrictEqual(body.items[0].waitsFor, { flow: "customers", key: "CUS-0042" })
      assert.strictEqual((yield* list("?queue=references&state=waiting")).body.items.length, 1)
    }).pipe(Effect.provide(office().layer)))
})

describe("one exception", () => {
  it.live("is shown with payload, cause, what stands in Odoo, followers, history and advice", () => {
    const { layer } = office()
    return Effect.gen(function* () {
      yield* started
      const again = publication("invoice.requested", mismatched(1), { id: "later" })
      yield* publish(customerEvent, wrongTotals(1), again)
      yield* eventually(tallies(), (rows) => rows.get("invoices")?.behind === 1 && rows.get("invoices")?.parked === 1)
      const { body, status } = yield* request(path(eventOf(1)))
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { state: "parked", code: "TOTALS-MISMATCH", key: "INV-1", flow: "invoices" })
      assert.deepStrictEqual(body.payload.envelope.data.totals, mismatched(1).totals)
      assert.strictEqual(body.followers.count, 1)
      assert.deepStrictEqual(body.standing.trouble, "")
      const [record] = body.standing.records
      assert.strictEqual(record.model, "account.move")
      assert.deepInclude(record.fields, { state: "draft", amount_total: 121 })
      assert.deepStrictEqual(body.history.map(({ action }: { action: string }) => action), ["raised"])
      assert.deepInclude(body.recommendation, { action: "mend", learned: false })
      const said = yield* weir(["exceptions", "show", "be01", eventOf(1)])
      for (
        const text of ["TOTALS-MISMATCH", "account.move", "1 held behind it", "raised by weir", "Recommended: mend"]
      ) {
        assert.include(said.stdout, text)
      }
      assert.strictEqual((yield* request(path("nobody's"))).status, 404)
      assert.strictEqual((yield* weir(["exceptions", "show", "be01", "nobody's"])).code, 2)
    }).pipe(Effect.provide(layer))
  })

  it.live("is assigned, noted and dismissed, and remembers it", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(customerEvent, wrongTotals(1))
      yield* parked(1)
      const event = eventOf(1)
      assert.strictEqual(
        (yield* weir(["exceptions", "assign", "be01", event, "--to", "eve"])).stdout,
        "1 exception changed.",
      )
      assert.strictEqual((yield* list("?assignee=eve")).body.items.length, 1)
      const noted = yield* request(`${orders}/note`, { body: { event, text: "asked billing" } })
      assert.deepStrictEqual([noted.status, noted.body], [200, { changed: 1 }])
      const dismissed = yield* weir(["exceptions", "dismiss", "be01", event, "--reason", "never was", "--by", "ada"])
      assert.strictEqual(dismissed.code, 0)
      assert.strictEqual((yield* list()).body.items.length, 0)
      const { body } = yield* request(path(event))
      assert.strictEqual(body.state, "dismissed")
      assert.deepStrictEqual(
        body.history.map(({ action, actor, text }: Record<string, string>) => [action, actor, text]).slice(1),
        [["assigned", body.history[1].actor, "eve"], ["noted", "local", "asked billing"], [
          "dismissed",
          "ada",
          "never was",
        ]],
      )
      assert.strictEqual(body.payload, null)
      const trail = yield* Ledger.use((ledger) => ledger.audit({ entity: "be01", after: null, limit: 100 }))
      const acts = trail.map(({ detail }) => JSON.parse(detail).operation)
      assert.deepStrictEqual(acts, ["exceptions.assign", "exceptions.note", "exceptions.dismiss"])
      assert.notInclude(JSON.stringify(trail), "asked billing")
      assert.strictEqual((yield* request(`${orders}/note`, { body: { event, text: "x" } })).status, 404)
    }).pipe(Effect.provide(office().layer)))

  it.live("is tried again, and goes through once what stood behind it is mended", () =>
    Effect.gen(function* () {
      yield* started
      const invoiced = { ...mismatched(1), lines: [{ ...mismatched(1).lines[0], taxCode: "S99" }] }
      yield* publish(customerEvent, publication("invoice.requested", invoiced, { id: "1" }))
      yield* parked(1)
      const retried = yield* request(`${orders}/retry`, { body: { events: ["test#1", "nobody's"], reason: "again" } })
      assert.deepStrictEqual(retried.body, { changed: 1 })
      const { body } = yield* eventually(
        request(path("test#1")),
        ({ body }) => body.history.at(-1).action === "recurred",
      )
      assert.deepStrictEqual(body.history.map(({ action }: { action: string }) => action), [
        "raised",
        "retried",
        "recurred",
      ])
      assert.strictEqual(body.state, "parked")
    }).pipe(Effect.provide(office().layer)))
})

describe("a correction", () => {
  it.live("of what carries no money is applied at once, whichever way it is given", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(invalid(1), invalid(2))
      yield* parked(2)
      const set = yield* weir([
        "exceptions",
        "edit",
        "be01",
        "test#bad-1",
        "--set",
        "email=a@b.example",
        "--reason",
        "typing error",
        "--by",
        "ada",
      ])
      assert.strictEqual(set.code, 0, set.message)
      assert.include(set.stdout, `email: "nobody" -> "a@b.example"`)
      yield* eventually(applied("customers"), (count) => count === 1)
      const { body } = yield* request(path("test#bad-1"))
      assert.strictEqual(body.state, "applied")
      assert.strictEqual(body.key, "CUS-1", "it has the key that could not be read before")
      assert.deepStrictEqual(
        body.history.map(({ action, actor }: Record<string, string>) => `${action} ${actor}`),
        ["raised weir", "proposed ada", "edited ada", "resolved weir"],
      )
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "weir-edit-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true })),
      )
      const file = join(folder, "data.json")
      yield* Effect.promise(() => writeFile(file, JSON.stringify({ ...customer, key: "CUS-2" })))
      const whole = yield* weir([
        "exceptions",
        "edit",
        "be01",
        "test#bad-2",
        "--file",
        file,
        "--reason",
        "from the source",
      ])
      assert.strictEqual(whole.code, 0, whole.message)
      yield* eventually(applied("customers"), (count) => count === 2)
    }).pipe(Effect.scoped, Effect.provide(office().layer)))

  it.live("of money waits for an approver who is somebody else and known", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(customerEvent, wrongTotals(1))
      yield* parked(1)
      const [ada, eve, viewer] = [
        yield* tokenFor("ada", ["operator", "approver"]),
        yield* tokenFor("eve", ["approver"]),
        yield* tokenFor("vic", ["viewer"]),
      ]
      const edit = ["exceptions", "edit", "be01", eventOf(1), "--set", "totals.tax=21", "--set", "totals.total=121"]
      const proposed = yield* weir([...edit, "--reason", "the source rounds", "--json"], { token: ada })
      const { financial, id, state } = JSON.parse(proposed.stdout)
      assert.deepStrictEqual([financial, state], [true, "proposed"])
      assert.strictEqual(yield* applied("invoices"), 0)
      const approve = (token?: string) =>
        request(`/v1/amendments/${id}/approval`, {
          body: { reason: "seen" },
          ...(token === undefined ? {} : { token }),
        })
      const own = yield* approve(ada)
      assert.deepStrictEqual([own.status, own.body.detail.includes("ada proposed it")], [403, true])
      assert.strictEqual((yield* approve(viewer)).status, 403)
      assert.strictEqual((yield* approve()).status, 403, "being on this machine is no name")
      const listed = yield* weir(["amendment", "list", "--state", "proposed", "--json"], { token: eve })
      assert.deepStrictEqual(
        JSON.parse(listed.stdout).items[0].changes.map((
          { from, path, to }: Record<string, string>,
        ) => [path, from, to]),
        [["totals.tax", "20.5", "21"], ["totals.total", "120.5", "121"]],
      )
      const masked = yield* request("/v1/amendments", { token: viewer })
      assert.deepStrictEqual(masked.body.items[0].changes[0], {
        path: "totals.tax",
        from: "(financial)",
        to: "(financial)",
        classification: "financial",
      })
      const approved = yield* weir(["amendment", "approve", String(id), "--reason", "seen"], { token: eve })
      assert.strictEqual(approved.code, 0, approved.message)
      yield* eventually(applied("invoices"), (count) => count === 1)
      assert.strictEqual((yield* approve(eve)).status, 409)
      const trail = yield* Ledger.use((ledger) => ledger.audit({ entity: "be01", after: null, limit: 100 }))
      const denied = trail.filter(({ action }) => action === "operation.denied").map(({ actor }) => actor)
      assert.deepStrictEqual(denied, ["vic"])
    }).pipe(Effect.provide(office().layer)))

  it.live("can be rejected, and never changes what an event is", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(customerEvent, wrongTotals(1))
      yield* parked(1)
      const { body: { payload } } = yield* request(path(eventOf(1)))
      const edit = (data: unknown, hash = payload.hash) =>
        request(`${orders}/amendment`, { body: { event: eventOf(1), data, hash, reason: "x" } })
      const { data } = payload.envelope
      for (
        const [wrong, expected] of [
          [{ ...data, key: "INV-9" }, "business key cannot be changed"],
          [{ ...data, totals: { ...data.totals, tax: "x" } }, "EVENT-INVALID"],
          [{ ...data, lines: [] }, "EVENT-INVALID"],
          [data, "Nothing is different"],
          [{ ...data, lines: [{ ...data.lines[0], description: "(personal)" }] }, "marks of what was not shown"],
        ] as const
      ) {
        const { body, status } = yield* edit(wrong)
        assert.deepStrictEqual([status, body.detail.includes(expected)], [422, true], body.detail)
      }
      assert.strictEqual((yield* edit({ ...data, dueDate: "2026-12-31" }, "0".repeat(64))).status, 409)
      const moved = yield* edit({ ...data, invoiceDate: "2026-10-30" })
      assert.deepStrictEqual([moved.status, moved.body.financial], [200, true], "a date moves money, too")
      const rejected = yield* weir(["amendment", "reject", String(moved.body.id), "--reason", "no", "--json"])
      assert.strictEqual(JSON.parse(rejected.stdout).state, "rejected")
      const words = yield* edit({ ...data, lines: [{ ...data.lines[0], description: "Junior" }] })
      assert.deepStrictEqual([words.body.financial, words.body.state], [false, "applied"])
      const message = yield* weir(["exceptions", "edit", "be01", eventOf(1), "--reason", "x"])
      assert.deepStrictEqual([message.code, message.message], [2, "Give either --set or --file."])
    }).pipe(Effect.provide(office().layer)))
})

describe("a group", () => {
  it.live("is tried again in steps until it is through", () => {
    const { layer } = office()
    return Effect.gen(function* () {
      yield* started
      yield* publish(...Array.from({ length: 9 }, (_, n) => wrongTotals(n)), customerEvent)
      yield* parked(9)
      const trail: Array<string> = []
      const started_ = yield* weir([
        "redrive",
        "start",
        "be01",
        "--code",
        "TOTALS-MISMATCH",
        "--reason",
        "mended",
        "--json",
        "--by",
        "ada",
      ])
      const { id } = JSON.parse(started_.stdout)
      const { body } = yield* eventually(
        request(`/v1/redrives/${id}`).pipe(Effect.tap(({ body }) => Effect.sync(() => trail.push(body.state)))),
        ({ body }) => body.state !== "running",
      )
      // Nothing was mended: the first one fails again, and the eight others are left alone.
      assert.deepInclude(body, { state: "stopped", retried: 1, recurred: 1, startedBy: "ada", step: 1 })
      assert.include(body.said, "the same failure came again")
      const said = yield* weir(["redrive", "list"])
      assert.include(said.stdout, "TOTALS-MISMATCH")
      assert.strictEqual((yield* request(`/v1/redrives/${id}/cancellation`, { body: {} })).status, 409)
      assert.strictEqual((yield* request("/v1/redrives", { body: { entity: "be01", reason: "x" } })).status, 422)
      assert.strictEqual((yield* request("/v1/redrives/999")).status, 404)
    }).pipe(Effect.provide(layer))
  })

  it.live("goes through once what stood behind it is mended, and leaves advice", () => {
    const { layer } = office()
    return Effect.gen(function* () {
      yield* started
      const missing = (n: number) =>
        publication("timesheet.approved", {
          key: `T-${n}`,
          engagement: engagement.key,
          line: "senior",
          consultant: "late@be01.example.test",
          date: "2026-10-05",
          hours: "1",
          description: "x",
          billable: true,
        }, { id: `t${n}` })
      yield* publish(customerEvent, publication("engagement.activated", engagement, { id: "e" }))
      yield* publish(...Array.from({ length: 8 }, (_, n) => missing(n)))
      yield* parked(8)
      const { body: { items: [group] } } = yield* request("/v1/exceptions/groups")
      assert.deepInclude(group, { code: "MASTER-DATA-MISSING", count: 8 })
      yield* Odoo.use((odoo) =>
        hire(odoo, "main", [{ name: "Late", work_email: "late@be01.example.test", company: 3 }])
      )
      const whole = {
        entity: "be01",
        flow: group.flow,
        code: group.code,
        fingerprint: group.fingerprint,
        reason: "hired",
      }
      const redriven = Effect.gen(function* () {
        const start = yield* request("/v1/redrives", { body: whole })
        assert.strictEqual(start.status, 202)
        return yield* eventually(request(`/v1/redrives/${start.body.id}`), ({ body }) => body.state !== "running")
      })
      // Whom Odoo did not know a moment ago is not asked for again at once: the first runs may stop, and lose nothing.
      const { body } = yield* eventually(redriven, ({ body }) => body.state === "finished")
      assert.deepStrictEqual([body.resolved, body.recurred, body.otherwise], [body.retried, 0, 0])
      assert.isAtLeast(body.step, 3)
      assert.strictEqual(yield* applied("timesheets"), 8)
    }).pipe(Effect.provide(layer))
  })
})

describe("an export", () => {
  it.live("is one exception a line, masked by role, and can be published again when nothing is masked", () =>
    Effect.gen(function* () {
      yield* started
      yield* publish(customerEvent, wrongTotals(1), invalid(2))
      yield* parked(2)
      const viewer = yield* tokenFor("vic", ["viewer"])
      const lines = (text: string) => text.trim().split("\n").map((line) => JSON.parse(line))
      const whole = yield* request("/v1/exceptions/export")
      assert.include(whole.headers.get("content-type"), "application/x-ndjson")
      const all = lines(whole.body)
      assert.strictEqual(all.length, 2)
      assert.include(JSON.stringify(all), customer.name)
      const masked = yield* request("/v1/exceptions/export", { token: viewer })
      for (const secret of [customer.name, "nobody", "120.5", "20.5", "Senior"]) {
        assert.notInclude(masked.body, secret)
      }
      const line = lines(masked.body).find(({ exception }) => exception.code === "TOTALS-MISMATCH")
      assert.strictEqual(line.envelope.data.totals.total, "(financial)")
      assert.strictEqual(line.envelope.data.lines[0].description, "(personal)")
      assert.strictEqual(line.envelope.data.key, "INV-1")
      assert.notMatch(line.exception.detail, /\d/u, "a cause without numbers")
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "weir-export-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true })),
      )
      yield* Effect.promise(() => writeFile(join(folder, "weir.json"), "{}"))
      yield* Effect.promise(() =>
        writeFile(
          join(folder, "out.ndjson"),
          `${JSON.stringify(all.find(({ exception }) => exception.code === "TOTALS-MISMATCH"))}\n`,
        )
      )
      const read = yield* command([
        "-c",
        join(folder, "weir.json"),
        "publish",
        join(folder, "out.ndjson"),
        "--dry-run",
        "--json",
      ])
      assert.deepInclude(JSON.parse(read.stdout), { valid: 1, invalid: 0 })
    }).pipe(Effect.scoped, Effect.provide(office().layer)))
})
