"""Tests of idempotency keys over HTTP: they are scoped by who asks."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from rma.adapters.medusa_api import cancel_return, error_json, receive_return, request_return, return_json
from rma.adapters.medusa_api.keys import ADMIN, GUESTS, client_key, customer_scope, scoped_key
from rma.adapters.memory import InMemoryOrders
from rma.domain.decide.violations import MAX_ID
from rma.domain.messages.commands import Command
from rma.domain.values.errors import IdempotencyKeyReused, Rejected

from .serving import ADA, BOB, Shop
from .serving import ADMIN as CLERK

ONE_MUG: dict[str, Any] = {"order_id": "order_mug", "items": [{"item_id": "item_mug", "quantity": 1}]}
ONE_RECEIVED = {"items": [{"item_id": "item_mug", "quantity": 1}]}

KEYS = st.text(min_size=1, max_size=MAX_ID)
SCOPES = st.one_of(st.sampled_from([ADMIN, GUESTS]), st.text().map(customer_scope))


@given(SCOPES, KEYS, SCOPES, KEYS)
@example(customer_scope("a"), "b:k", customer_scope("a:b"), "k")
@example(customer_scope(""), "k", GUESTS, "k")
@example(customer_scope("x" * MAX_ID), "k", customer_scope("x" * MAX_ID), "l")
@example(customer_scope("x" * MAX_ID), "k", customer_scope("y" * MAX_ID), "k")
def test_keys_are_the_same_only_in_the_same_scope(one: str, key: str, other: str, another: str) -> None:
    """Two clients have the same key if and only if they have the same scope and sent the same."""
    assert (scoped_key(one, key) == scoped_key(other, another)) == ((one, key) == (other, another))


@given(SCOPES, KEYS)
@example(customer_scope("cus_1"), "x" * MAX_ID)
@example(customer_scope("medusa:admin:"), "medusa:guest:\n")
def test_a_scoped_key_is_as_long_as_a_key_may_be(scope: str, key: str) -> None:
    """It has at most 255 characters, and the client's key is read from it unless it is a digest."""
    scoped = scoped_key(scope, key)

    assert scoped is not None
    assert len(scoped) <= MAX_ID
    assert client_key(scoped) == (key if len(scope + key) <= MAX_ID else None)


@pytest.mark.parametrize("key", [None, "", "x" * (MAX_ID + 1), 7])
def test_a_key_that_is_refused_stays_as_it_is(key: Any) -> None:
    """The refusal has the length of the client's own."""
    assert scoped_key(ADMIN, key) == key


def test_an_identity_that_is_not_a_string_is_refused(shop: Shop) -> None:
    """By the library, as in a request that is not made over HTTP."""
    number: Any = 7

    with pytest.raises(Rejected, match="created_by"):
        shop.service.handle(request_return(ONE_MUG, idempotency_key="k", created_by=number))


def test_a_key_of_the_host_is_shown_as_it_is() -> None:
    """Commands that did not arrive over HTTP have the keys that the host gave them."""
    assert [client_key(key) for key in (None, "job-7", "medusa", "medusa:")] == [
        None,
        "job-7",
        "medusa",
        "medusa:",
    ]


def test_the_routes_have_their_scopes() -> None:
    """A customer's keys, those of customers without an identity, and those of all clerks."""
    body: dict[str, Any] = {"items": []}
    asked = {"order_id": "order_1", "items": []}
    commands: list[Command] = [
        request_return(asked, idempotency_key="k", created_by="cus_1"),
        request_return(asked, idempotency_key="k", created_by="cus_2"),
        request_return(asked, idempotency_key="k"),
        receive_return("ret_1", body, idempotency_key="k", created_by="cus_1"),
        cancel_return("ret_1", idempotency_key="k", created_by="cus_1"),
    ]

    assert [command.idempotency_key for command in commands] == [
        "medusa:customer:5:cus_1:k",
        "medusa:customer:5:cus_2:k",
        "medusa:guest:k",
        "medusa:admin:k",
        "medusa:admin:k",
    ]


def test_a_refusal_names_the_key_that_the_client_sent() -> None:
    """Not the one that the command carries; a key that is a digest is not named."""
    scope = customer_scope("cus_1")
    refusals = [
        error_json(
            IdempotencyKeyReused(
                "idempotency_key_reused", {"idempotency_key": scoped_key(scope, key), "fields": ("items",)}
            )
        )
        for key in ("key-1", "x" * MAX_ID)
    ]

    assert [status for status, _ in refusals] == [409, 409]
    assert [body["message"] for _, body in refusals] == [
        "idempotency key key-1 belongs to another request, which differs in items",
        "idempotency key (too long to be shown) belongs to another request, which differs in items",
    ]
    assert "medusa" not in str(refusals)


def test_a_customer_cannot_use_up_the_key_of_the_warehouse(shop: Shop) -> None:
    """A receipt and a cancellation are done under a key that the customer had first."""
    key = {"Idempotency-Key": "key-1"}
    ret, other = (
        shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": name}).body["return"]["id"]
        for name in ("key-1", "key-2")
    )

    received = shop.post(f"/admin/returns/{ret}/receive", ONE_RECEIVED, {**CLERK, **key})
    canceled = shop.post(f"/admin/returns/{other}/cancel", None, {**CLERK, "Idempotency-Key": "key-2"})

    assert (received.status, received.body["return"]["status"]) == (200, "received")
    assert canceled.status == 200
    assert shop.service.get(other).status.value == "canceled"


def test_a_customer_does_not_learn_of_the_key_of_the_warehouse(shop: Shop) -> None:
    """A key that a clerk used on the same order is a fresh one for the customer."""
    ret = shop.post("/store/returns", ONE_MUG, ADA).body["return"]["id"]
    key = {"Idempotency-Key": "receipt-1"}
    shop.post(f"/admin/returns/{ret}/receive", ONE_RECEIVED, {**CLERK, **key})

    asked = shop.post("/store/returns", ONE_MUG, {**ADA, **key})
    fresh = shop.post("/store/returns", ONE_MUG, ADA)

    assert (asked.status, asked.body["return"]["idempotency_key"]) == (200, "receipt-1")
    assert fresh.status == 200


def test_a_customer_does_not_learn_of_the_key_of_another(shop: Shop) -> None:
    """An order that changed hands has the keys of both."""
    key = {"Idempotency-Key": "key-1"}
    adas = shop.post("/store/returns", ONE_MUG, {**ADA, **key}).body["return"]
    orders = shop.service.orders
    assert isinstance(orders, InMemoryOrders)
    orders.put(evolve(orders.get("order_mug"), customer_id="cus_bob", version=2))

    bobs = shop.post("/store/returns", ONE_MUG, {**BOB, **key})
    again = shop.post("/store/returns", ONE_MUG, {**BOB, **key})

    assert (bobs.status, bobs.body["return"]["idempotency_key"]) == (200, "key-1")
    assert bobs.body["return"]["id"] != adas["id"]
    assert again.body == bobs.body


def test_a_return_shows_the_key_that_the_client_sent(shop: Shop) -> None:
    """A key that is stored as a digest is in the response to its request, and null in others."""
    for key, shown in (("key-1", "key-1"), ("x" * MAX_ID, None)):
        asked = shop.post("/store/returns", ONE_MUG, {**ADA, "Idempotency-Key": key}).body["return"]
        ret = shop.service.get(asked["id"])

        assert asked["idempotency_key"] == key
        assert return_json(ret)["idempotency_key"] == shown
        assert ret.idempotency_key == scoped_key(customer_scope("cus_ada"), key)
