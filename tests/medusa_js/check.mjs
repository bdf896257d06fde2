// The official JavaScript client of Medusa v1, unchanged, against examples/http_api.py. See run.py.
import assert from "node:assert/strict"
import http from "node:http"
import { createRequire } from "node:module"

const require = createRequire(`${process.cwd()}/`)
const Medusa = require("@medusajs/medusa-js").default

const baseUrl = process.argv[2]
const store = new Medusa({ baseUrl, maxRetries: 3, customHeaders: { Authorization: "Bearer ada-token" } })
const stranger = new Medusa({ baseUrl, maxRetries: 0, customHeaders: { Authorization: "Bearer bob-token" } })
const anonymous = new Medusa({ baseUrl, maxRetries: 0 })
const { admin } = new Medusa({ baseUrl, maxRetries: 0, apiKey: "admin-token" })

const failure = async (promise) => {
  const error = await promise.then(() => assert.fail("not refused"), (error) => error)
  assert.ok(error.response, error)
  return { status: error.response.status, ...error.response.data }
}
const mugs = (quantity) => ({ order_id: "order_mug", items: [{ item_id: "item_mug", quantity, reason_id: "rr_damaged" }] })

const { return_reasons } = await store.returnReasons.list()
assert.deepEqual(return_reasons.map(({ id }) => id), ["rr_size", "rr_damaged"])
const { return_reason } = await store.returnReasons.retrieve("rr_size")
assert.equal(return_reason.return_reason_children[0].id, "rr_small")

// A return is created with the client's key; the same request with the same key creates no second one.
const created = await store.returns.create({ ...mugs(1), return_shipping: { option_id: "so_return" } })
const key = created.response.headers["idempotency-key"]
assert.equal(created.response.status, 200)
assert.equal(created.return.status, "requested")
assert.equal(created.return.refund_amount, 8233)
assert.equal(created.return.shipping_method.total, 200)
assert.equal(created.return.items[0].reason.label, "Damaged goods")
assert.equal(created.return.idempotency_key, key)
const again = await store.returns.create(
  { ...mugs(1), return_shipping: { option_id: "so_return" } },
  { "Idempotency-Key": key },
)
assert.equal(again.return.id, created.return.id)
const second = await store.returns.create(mugs(1))
assert.notEqual(second.return.id, created.return.id)

// Refusals.
assert.equal((await failure(anonymous.returns.create(mugs(1)))).type, "unauthorized")
const strange = await failure(stranger.returns.create(mugs(1)))
assert.deepEqual([strange.status, strange.type, strange.code], [404, "not_found", "order_not_found"])
const greedy = await failure(store.returns.create(mugs(9)))
assert.deepEqual([greedy.status, greedy.type, greedy.code], [400, "invalid_data", "quantity_exceeds_returnable"])
const wrong = await failure(store.returns.create({ order_id: "order_mug", items: [{ item_id: "item_mug", quantity: "1" }] }))
assert.deepEqual([wrong.status, wrong.errors[0].path], [422, "$.items[0].quantity"])
assert.equal((await failure(anonymous.admin.returns.list())).status, 401)

// The admin routes.
const all = await admin.returns.list()
assert.deepEqual([all.count, all.offset, all.limit], [2, 0, 50])
assert.deepEqual(all.returns.map(({ id }) => id), [second.return.id, created.return.id])
const page = await admin.returns.list({ limit: 1, offset: 1 })
assert.deepEqual(page.returns.map(({ id }) => id), [created.return.id])
const received = await admin.returns.receive(created.return.id, { items: [{ item_id: "item_mug", quantity: 1 }] })
assert.equal(received.return.status, "received")
assert.equal(received.return.items[0].received_quantity, 1)
assert.equal(received.return.items[0].item.returned_quantity, 1)
const twice = await failure(admin.returns.receive(created.return.id, { items: [{ item_id: "item_mug", quantity: 1 }] }))
assert.deepEqual([twice.status, twice.type], [400, "not_allowed"])
const canceled = await admin.returns.cancel(second.return.id)
assert.equal(canceled.order.id, "order_mug")
assert.equal(canceled.order.returns.find(({ id }) => id === second.return.id).status, "canceled")
assert.equal(canceled.order.fulfillment_status, "partially_returned")
assert.equal(canceled.order.payment_status, "partially_refunded")
assert.equal((await failure(admin.returns.cancel("ret_none"))).status, 404)

// Null is a field that is left out.
const nulls = await store.returns.create({
  order_id: "order_mug",
  return_shipping: null,
  items: [{ item_id: "item_mug", quantity: 1, reason_id: null, note: null }],
})
assert.deepEqual([nulls.return.shipping_method, nulls.return.items[0].reason_id], [null, null])
const damaged = await admin.returns.receive(nulls.return.id, {
  items: [{ item_id: "item_mug", quantity: 1, damaged_quantity: null }],
  refund: null, location_id: null,
})
assert.deepEqual([damaged.return.status, damaged.return.refund_amount], ["received", nulls.return.refund_amount])

// A line that is requested twice is one item. The fields that only a host knows are there, and null.
const shirt = { item_id: "item_shirt", quantity: 1 }
const twins = await store.returns.create({ order_id: "order_shirt", items: [shirt, shirt] })
assert.deepEqual(twins.return.items.map(({ item_id, quantity }) => [item_id, quantity]), [["item_shirt", 2]])
const { item } = twins.return.items[0]
for (const field of ["allow_discounts", "thumbnail", "shipped_quantity", "created_at"]) assert.equal(item[field], null)

// Pages.
const { count } = await admin.returns.list()
const ids = []
for (let offset = 0; offset < count; offset += 2) {
  const part = await admin.returns.list({ limit: 2, offset })
  assert.deepEqual([part.count, part.offset, part.limit], [count, offset, 2])
  ids.push(...part.returns.map(({ id }) => id))
}
assert.equal(new Set(ids).size, count)
assert.deepEqual(ids, (await admin.returns.list({ limit: 1000 })).returns.map(({ id }) => id))
assert.deepEqual((await admin.returns.list({ limit: 1000 })).limit, 100)
assert.deepEqual((await admin.returns.list({ limit: 0 })).limit, 1)
assert.deepEqual((await admin.returns.list({ offset: count })).returns, [])
assert.equal((await failure(admin.returns.list({ offset: -1 }))).status, 422)

// How often the client sends a request: this server counts, and answers itself or as the example does.
let sent = 0
let instead = []
const counting = http.createServer((request, response) => {
  sent += 1
  if (instead.length) {
    response.writeHead(instead.shift(), { "content-type": "application/json" }).end("{}")
    return
  }
  const forwarded = http.request(
    baseUrl + request.url, { method: request.method, headers: request.headers },
    (answer) => { response.writeHead(answer.statusCode, answer.headers); answer.pipe(response) },
  )
  request.pipe(forwarded)
})
await new Promise((resolve) => counting.listen(0, "127.0.0.1", resolve))
const through = `http://127.0.0.1:${counting.address().port}`
const patient = new Medusa({ baseUrl: through, maxRetries: 3, customHeaders: { Authorization: "Bearer ada-token" } })
const clerk = new Medusa({ baseUrl: through, maxRetries: 3, apiKey: "admin-token" }).admin
const requests = async (call) => {
  sent = 0
  const result = await call()
  return [sent, result.status ?? result.response.status]
}
const parcel = { items: [{ item_id: "item_mug", quantity: 1 }] }
const refused = {
  received: [400, () => failure(clerk.returns.receive(created.return.id, parcel))],
  canceled: [400, () => failure(clerk.returns.receive(second.return.id, parcel))],
  "cancel received": [400, () => failure(clerk.returns.cancel(created.return.id))],
  "not found": [404, () => failure(clerk.returns.cancel("ret_none"))],
  "too many": [400, () => failure(patient.returns.create(mugs(9)))],
  malformed: [422, () => failure(patient.returns.create({ items: [] }))],
  unauthorized: [401, () => failure(new Medusa({ baseUrl: through, maxRetries: 3 }).returns.create(mugs(1)))],
}
for (const [name, [status, call]] of Object.entries(refused)) {
  assert.deepEqual(await requests(call), [1, status], name)
}
// A key of another request is 409, which the client sends again as often as it may.
assert.deepEqual(await requests(() => failure(patient.returns.create(mugs(2), { "Idempotency-Key": key }))), [4, 409])
// What may succeed later does, under the key that the client sends again.
const before = (await admin.returns.list()).count
instead = [409, 503]
assert.deepEqual(await requests(() => patient.returns.create({ order_id: "order_mug", items: [] }).catch(
  (error) => error.response,
)), [3, 400])
assert.equal((await admin.returns.list()).count, before)
counting.close()

console.log("@medusajs/medusa-js: all answers are what it expects")
