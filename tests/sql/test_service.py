"""A service over a database, made by one call."""

from pathlib import Path

from attrs import fields

from rma import ReturnService, ReturnStatus
from rma.adapters.sql import SqlReturns, sql_service
from rma.adapters.sql.service import Ports
from tests.rules.given import order_of, receive, request
from tests.world import World


def test_it_takes_every_keyword_of_the_service_but_returns() -> None:
    """`sql_service` has the keywords of ReturnService except `returns`."""
    assert Ports.__annotations__.keys() == {each.name for each in fields(ReturnService)} - {"returns"}
    assert Ports.__required_keys__ == {"orders", "inventory", "payments"}


def test_omitted_ports_have_the_defaults_of_the_service(file: Path) -> None:
    """Omitted ports are None, and a second service over the same file continues the first one's return."""
    world = World(order_of())

    def service() -> ReturnService:
        return sql_service(
            f"sqlite:///{file}", orders=world.orders, inventory=world.inventory, payments=world.payments
        )

    first, second = service(), service()
    opened = first.handle(request(2))
    received = second.handle(receive(2, return_id=opened.id))

    assert received.status is ReturnStatus.RECEIVED
    assert first.get(opened.id) == received
    for each in (first, second):
        assert isinstance(each.returns, SqlReturns)
        assert (each.events, each.fulfillment) == (None, None)
        each.returns.close()


def test_what_is_not_delivered_waits_for_resume(file: Path) -> None:
    """With `deliver=False` a command is committed and calls no port, until `resume` delivers its effects."""
    world = World(order_of())
    service = sql_service(
        f"sqlite:///{file}", orders=world.orders, inventory=world.inventory, payments=world.payments
    )
    opened = service.handle(request(2))

    received = service.handle(receive(2, return_id=opened.id, idempotency_key="k"), deliver=False)

    again = service.handle(receive(2, return_id=opened.id, idempotency_key="k"), deliver=False)
    assert again == received == service.get(opened.id)
    assert not world.payments.refunds
    assert service.resume(opened.id).still_open == ()
    assert len(world.payments.refunds) == 1
    assert isinstance(service.returns, SqlReturns)
    service.returns.close()
