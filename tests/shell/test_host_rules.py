"""Rules of the host's own, given to a service; what options say through it."""

import asyncio
from typing import Any

import pytest
from attrs import evolve

from rma import (
    AsyncReturnService,
    Facts,
    HostRule,
    InvalidValue,
    LineItem,
    NewItem,
    Rejected,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ReturnPolicy,
    ReturnRule,
    Review,
    Violation,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturnReasons,
    InMemoryReturns,
    in_memory_service,
)
from tests.rules.given import order_of, request
from tests.world import REASONS


def no_more_than_one(facts: Facts, line: LineItem, asked: RequestedItem) -> Violation | Review | None:
    """Refuses two units, and wants a look at one."""
    assert facts.order is not None
    assert line in facts.order.items
    return Violation("one_at_a_time") if asked.quantity > 1 else Review()


ONE = HostRule("one", no_more_than_one)
POLICY = ReturnPolicy(
    rules=[ReturnRule(name="broken", when={"reason:damaged"}), ReturnRule(name="x", when={"x"})]
)


def test_a_service_asks_the_rules_of_its_host() -> None:
    """In requests and quotes; options say what they say about one unit."""
    service = in_memory_service([order_of()], host_rules=[ONE])

    with pytest.raises(Rejected) as refusal:
        service.quote(request(2))
    (option, _) = service.returnable_items("order_1")[0].options
    ret = service.handle(request(1))

    assert refusal.value.code == "one_at_a_time"
    assert option.needs_review
    ruling = ret.items[0].ruling
    assert ruling is not None
    assert [(answer.rule, answer.review) for answer in ruling.answers] == [("one", True)]


def test_options_are_for_a_reason_and_tags() -> None:
    """The catalogue is asked for the reason; the awaited service answers the same."""
    service = in_memory_service([order_of()], reasons=REASONS, policies=POLICY)

    for more, rule in (({"reason_id": "rr_damaged"}, "broken"), ({"tags": ["x"]}, "x"), ({}, None)):
        options: dict[str, Any] = dict(more)
        found = service.returnable_items("order_1", **options)
        assert found[0].options[0].rule == rule
        other = evolve(awaited(), fulfillment=InMemoryFulfillment())
        assert asyncio.run(other.returnable_items("order_1", **options)) == found


def test_a_service_offers_what_its_ports_can_do() -> None:
    """An exchange needs a port that sends; a word is not a list of tags; options say what requests say."""
    service = awaited()
    (line,) = asyncio.run(service.returnable_items("order_1", tags="x"))
    refund, exchange = line.options
    worn: Any = "x"
    item = RequestedItem(item_id="mug", quantity=1, tags=worn)
    new = NewItem(variant_id="v", quantity=1, unit_price=1)

    with pytest.raises(Rejected) as refused:
        asyncio.run(service.quote(RequestReturn(order_id="order_1", items=[item])))
    assert refused.value.violations == refund.violations
    with pytest.raises(Rejected) as refused:
        asyncio.run(service.quote(RequestExchange(order_id="order_1", items=[item], new_items=[new])))
    assert refused.value.violations == exchange.violations
    assert [each.code for each in exchange.violations] == [
        "no_rule_applies",
        "invalid_tags",
        "no_fulfillment",
    ]


def test_a_rule_of_the_host_sees_the_catalogue_of_reasons() -> None:
    """In options as in requests, without a reason too."""

    def only_known(facts: Facts, line: LineItem, asked: RequestedItem) -> Violation | None:
        return None if facts.reasons else Violation("no_reasons")

    service = in_memory_service([order_of()], reasons=REASONS, host_rules=[HostRule("known", only_known)])

    assert service.returnable_items("order_1")[0].options[0].is_offered
    assert service.handle(request(1)).status == "requested"


def awaited() -> AsyncReturnService:
    """Returns the same shop, awaited."""
    return AsyncReturnService(
        orders=InMemoryOrders([order_of()]),
        returns=InMemoryReturns(),
        inventory=InMemoryInventory(),
        payments=InMemoryPayments(),
        return_reasons=InMemoryReturnReasons(REASONS),
        policies=POLICY,
    )


def test_an_awaited_service_asks_the_rules_of_its_host() -> None:
    """They answer at once there, too."""
    service = evolve(awaited(), policies=ReturnPolicy(), host_rules=[ONE])

    with pytest.raises(Rejected, match="one at a time"):
        asyncio.run(service.handle(request(2)))


@pytest.mark.parametrize("rules", [[ONE, ONE], [no_more_than_one], "one", 1])
def test_host_rules_that_cannot_be_are_refused(rules: Any) -> None:
    """Two of one name, and what is not a HostRule."""
    with pytest.raises(InvalidValue, match="rules of the class HostRule"):
        evolve(in_memory_service(), host_rules=rules)
