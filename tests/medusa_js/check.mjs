// The official JavaScript client of Medusa v1, unchanged, against examples/http_api.py. See run.py.
import assert from "node:assert/strict"
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
assert.deepEqual([twice.status, twice.type], [409, "not_allowed"])
const canceled = await admin.returns.cancel(second.return.id)
assert.equal(canceled.order.id, "order_mug")
assert.equal(canceled.order.returns.find(({ id }) => id === second.return.id).status, "canceled")
assert.equal(canceled.order.fulfillment_status, "partially_returned")
assert.equal(canceled.order.payment_status, "partially_refunded")
assert.equal((await failure(admin.returns.cancel("ret_none"))).status, 404)

console.log("@medusajs/medusa-js: all answers are what it expects")
