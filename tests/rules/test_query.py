"""Queries of a back office."""

from typing import Any

import pytest

from rma import InvalidValue, ReturnQuery, SubjectKind
from tests.rules.given import Given, receive, request


@pytest.mark.parametrize("order_ids", ["order_1", [7], 7])
def test_orders_are_a_list_of_strings(order_ids: Any) -> None:
    """Anything else is refused; a single string is not a list of its letters."""
    with pytest.raises(InvalidValue) as error:
        ReturnQuery(order_ids=order_ids)

    assert error.value.details["field"] == "ReturnQuery.order_ids"


def test_several_orders_and_one_order_are_both_heeded() -> None:
    """A query for one order that is not among several finds nothing."""
    assert ReturnQuery().orders is None
    assert ReturnQuery(order_ids=["order_1", "order_2"]).orders == ("order_1", "order_2")
    assert ReturnQuery(order_id="order_1").orders == ("order_1",)
    assert ReturnQuery(order_id="order_1", order_ids=["order_1", "order_2"]).orders == ("order_1",)
    assert ReturnQuery(order_id="order_1", order_ids=["order_2"]).orders == ()


def test_kinds_are_a_set() -> None:
    """Their order and repetitions do not matter."""
    assert ReturnQuery(kinds=["claim", "return", "claim"]).kinds == (SubjectKind.RETURN, SubjectKind.CLAIM)
    assert ReturnQuery(kinds=SubjectKind) == ReturnQuery(kinds=["exchange", "claim", "return"])


def test_a_page_of_some_returns_is_cut_from_them() -> None:
    """They may be in any order."""
    given = Given()
    for _ in range(2):
        given.when(request(1))
    given.when(receive(1, return_id="ret_1"))
    returns = given.ledger.returns

    assert ReturnQuery(order_ids=["order_1"], limit=1, newest_first=True).page(returns) == returns[1:]
    assert ReturnQuery(order_ids=["order_2"]).page(returns) == ()
    assert ReturnQuery(status="received").page(returns[::-1]) == returns[:1]
