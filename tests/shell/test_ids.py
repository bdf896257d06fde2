"""What ids are made of: the command, the clock, or the host's own strings."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    ClaimItem,
    IdempotencyKeyReused,
    InvalidValue,
    NewItem,
    Order,
    Rejected,
    RequestClaim,
    RequestedItem,
    RequestExchange,
)
from rma.adapters.memory import in_memory_service
from rma.service import ReturnService
from rma.shell.ids import LONGEST, derive_id
from rma.testing.core_harness import START
from tests.rules.given import line, order_of, request
from tests.world import RETURN_OPTION

KEY = "key_1"


def a_service(**ports: Any) -> ReturnService:
    """Returns a service over orders of many mugs, with ids of its own."""
    orders: list[Order] = [evolve(order_of(line(quantity=9)), id=f"order_{n}") for n in (1, 2)]
    return in_memory_service(orders, shipping_options=[RETURN_OPTION], **ports)


def test_the_id_of_a_command_with_a_key_is_derived_from_order_and_key() -> None:
    """Another process with another store and clock gives the same; another order or key another."""
    opened = a_service().handle(request(1, idempotency_key=KEY))
    again = a_service(clock=lambda: START).handle(request(2, idempotency_key=KEY))
    other_order = a_service().handle(evolve(request(1, idempotency_key=KEY), order_id="order_2"))
    other_key = a_service().handle(request(1, idempotency_key="key_2"))

    assert opened.id == again.id == f"ret_{derive_id('order_1', KEY)}"
    assert len({opened.id, other_order.id, other_key.id}) == 3


def test_a_derived_id_is_always_the_same() -> None:
    """Stores are full of them: another derivation would give a repeated command another id."""
    assert derive_id("order_1", KEY) == "QBAARRM35FG3PB4PDN6AC3W91B"


def test_ids_of_one_command_differ_by_their_prefix() -> None:
    """An exchange and its return, a claim and its return, a return and its shipping method."""
    service = a_service()
    exchange = service.handle(
        RequestExchange(
            order_id="order_1",
            items=[RequestedItem(item_id="mug", quantity=1)],
            new_items=[NewItem(variant_id="v", quantity=1, unit_price=1)],
            shipping_option_id=RETURN_OPTION.id,
        )
    )
    claim = service.handle(
        RequestClaim(
            order_id="order_1",
            type="refund",
            items=[ClaimItem(item_id="mug", quantity=1, reason="other")],
            return_items=True,
            idempotency_key=KEY,
        )
    )

    method = service.get(exchange.return_id).shipping_method
    assert method is not None
    drawn = exchange.id.removeprefix("exc_")
    assert (exchange.return_id, method.id) == (f"ret_{drawn}", f"sm_{drawn}")
    assert claim.return_id == f"ret_{claim.id.removeprefix('claim_')}"


def test_ids_of_commands_without_a_key_sort_by_the_clock() -> None:
    """A microsecond makes the order."""
    now = START
    service = a_service(clock=lambda: now)
    opened = []
    for _ in range(5):
        opened.append(service.handle(request(1)).id)
        now += timedelta(microseconds=1)

    assert opened == sorted(opened)


def test_ids_of_the_host_win() -> None:
    """They are taken as they are, whether or not the command has a key."""
    ids = iter(["a", "b" * LONGEST])
    service = a_service(ids=lambda: next(ids))

    assert service.handle(request(1, idempotency_key=KEY)).id == "ret_a"
    assert service.handle(request(1)).id == "ret_" + "b" * LONGEST


@pytest.mark.parametrize("drawn", ["", "a/b", "a b", "a\n", "é", "b" * (LONGEST + 1), "0" * 32, None, 7])
def test_an_id_that_makes_no_key_for_every_gateway_is_refused(drawn: Any) -> None:
    """The error says what `ids` should have returned, and nothing is stored."""
    service = a_service(ids=lambda: drawn)

    with pytest.raises(InvalidValue, match=r"ids must be a callable that returns 1 to 26 of") as error:
        service.handle(request(1))

    assert error.value.code == "invalid_value"
    assert service.list("order_1") == ()


def test_a_command_that_was_refused_has_the_same_id_when_it_is_done() -> None:
    """A refusal stores nothing, so nothing has the id; a key that is not a string derives none."""
    wrong: Any = ["no key"]
    service = a_service()
    for refused in (request(99, idempotency_key=KEY), request(1, idempotency_key=wrong)):
        with pytest.raises(Rejected):
            service.handle(refused)

    assert service.handle(request(1, idempotency_key=KEY)).id == f"ret_{derive_id('order_1', KEY)}"


def test_a_key_of_another_request_is_refused_before_its_id_is_looked_at() -> None:
    """The id is taken; the error is about the key."""
    service = a_service()
    service.handle(request(1, idempotency_key=KEY))

    with pytest.raises(IdempotencyKeyReused):
        service.handle(request(2, idempotency_key=KEY))


def test_half_a_surrogate_pair_in_a_key_is_refused_as_any_bad_key() -> None:
    """Deriving an id does not fail before the command is judged."""
    with pytest.raises(Rejected) as error:
        a_service().handle(request(1, idempotency_key="\ud800"))

    assert error.value.code == "invalid_idempotency_key"
