"""A service exports all that is stored of an order, and takes data about persons from it."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, frozen

from rma import (
    CancelReturn,
    Change,
    ClaimItem,
    Command,
    Event,
    ForeignDecision,
    ForeignItem,
    Invalid,
    InvalidValue,
    NotAllowed,
    NotFound,
    OrderRedacted,
    ReceivedItem,
    ReceiveReturn,
    RefundPending,
    RefundRequest,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    ResolveReturn,
    ReturnLedger,
    ReturnService,
    ReturnShipment,
    RmaError,
    SendBackRequest,
    ShippingOption,
    StaleLedger,
    codec,
    replay,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryPayments,
    InMemoryReturns,
    in_memory_service,
)
from rma.adapters.sql import SqlReturns
from tests.aio.hosts import awaited_service
from tests.canary import CANARY, planted
from tests.rules.given import line, order_of, receive, request

ORDER = order_of(line(quantity=9))
WORDS = ("notes", "images", "metadata", "actors")


class Clock:
    """A second later each time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The next second."""
        self.now += timedelta(seconds=1)
        return self.now


class Carrier(InMemoryFulfillment):
    """Answers with addresses; brings nothing back while it is `away`."""

    away = False

    def book_return(self, request: Any) -> ReturnShipment:
        """With whose parcel it is."""
        super().book_return(request)
        return ReturnShipment({"from": CANARY}, CANARY, CANARY)

    def send_back(self, request: SendBackRequest) -> None:
        """Unless it is away; its words are those of the request."""
        if self.away:
            raise TimeoutError(f"{request} was not answered")
        super().send_back(request)


def shop(**ports: Any) -> ReturnService:
    """A service over one order."""
    given = {"fulfillment": Carrier(), "clock": Clock(), "pause": lambda _: None, **ports}
    return in_memory_service([ORDER], shipping_options=[ShippingOption(id="post", price=200)], **given)


def asked(quantity: int = 2, key: str = "a", **more: Any) -> RequestReturn:
    """Requests it with words wherever there can be some."""
    return evolve(planted(request(quantity, idempotency_key=key)), overrule=None, **more)


def tell(service: ReturnService) -> tuple[Command, ...]:
    """A return is requested, received and refunded; with words."""
    commands: list[Command] = [asked(shipping_option_id="post")]
    opened = service.handle(commands[0])
    commands.append(planted(receive(2, return_id=opened.id, idempotency_key="b")))
    service.handle(commands[1])
    return tuple(commands)


def test_an_export_is_all_that_is_stored() -> None:
    """Ledger, history, remembered commands, and what happened in words; it is a document."""
    service = shop()
    tell(service)

    export = service.export("order_1")

    assert export.ledger == service.returns.load("order_1")
    assert export.history == service.history("order_1")
    assert list(export.timeline) == [str(each) for each in service.timeline("order_1")]
    assert {each.idempotency_key for each in export.commands} == {"a", "b"}
    document = codec.encode(export)
    assert codec.decode(document) == export
    assert CANARY in document
    assert CANARY not in repr(export)


@pytest.mark.parametrize("returns", [InMemoryReturns, lambda: SqlReturns("sqlite://")])
def test_nothing_of_it_is_left_in_what_is_stored(returns: Callable[[], Any]) -> None:
    """Everything else is: repeats are answered, nothing is refunded twice, units are counted."""
    payments = InMemoryPayments()
    service = shop(payments=payments, returns=returns())
    commands = tell(service)
    before, made = service.list("order_1"), dict(payments.refunds)

    event = service.redact("order_1", created_by="dpo")

    assert event == service.history("order_1")[-1]
    assert event is not None
    assert event.by == "dpo"
    export = service.export("order_1")
    assert CANARY not in codec.encode(export)
    assert replay("order_1", export.history) == export.ledger
    assert service.verify("order_1") == ()
    assert [service.handle(command).id for command in commands] == [before[0].id] * 2
    assert payments.refunds == made
    (ret,) = service.list("order_1")
    assert (ret.refunds[0].amount, ret.breakdown) == (before[0].refunds[0].amount, before[0].breakdown)
    assert [each.quantity for each in service.returnable_items("order_1")] == [7]


def test_an_awaited_service_exports_and_redacts_too() -> None:
    """The same event, and the same ledger."""
    blocks, other = shop(), shop()
    tell(blocks)
    tell(other)
    waits = awaited_service(other)

    async def both() -> tuple[Any, Any]:
        return await waits.redact("order_1", ["notes"], created_by="dpo"), await waits.export("order_1")

    event, export = asyncio.run(both())

    assert event == blocks.redact("order_1", ["notes"], created_by="dpo")
    assert export == blocks.export("order_1")


def test_an_event_that_no_one_took_yet_is_published_without_words() -> None:
    """And one that says that they are gone, for those who took some before."""

    class Away:
        def publish(self, event_id: str, event: Event) -> None:
            raise ConnectionError("away")

    returns, events = InMemoryReturns(), InMemoryEvents()
    service = shop(returns=returns, events=Away())
    service.handle(asked())
    service.redact("order_1", WORDS)

    shop(returns=returns, events=events, clock=service.clock).resume()

    assert [type(each).__name__ for each in events.published.values()] == ["ReturnRequested", "OrderRedacted"]
    assert CANARY not in "".join([codec.encode(each) for each in events.published.values()])


def test_an_order_that_is_not_there_is_not_found() -> None:
    """A misspelled id is not an order without data; one without returns has none."""
    service = shop()
    for ask in (service.export, service.redact):
        with pytest.raises(NotFound) as error:
            ask("order_l")
        assert error.value.code == "order_not_found"
    assert service.redact("order_1") is None
    assert service.export("order_1").history == ()


def test_an_order_that_the_host_deleted_is_exported_and_redacted() -> None:
    """What is stored of its returns is still there."""
    service = shop()
    tell(service)
    later = in_memory_service(returns=service.returns)
    assert later.export("order_1").history
    assert isinstance(later.redact("order_1"), OrderRedacted)


def test_twice_is_once() -> None:
    """The second finds nothing, and stores nothing; what was said since is found."""
    service = shop()
    tell(service)
    assert service.redact("order_1") is not None
    before = service.returns.load("order_1")
    assert service.redact("order_1") is None
    assert service.returns.load("order_1") == before
    service.handle(request(1, created_by="jane"))
    assert service.redact("order_1", iter(["actors"])) is not None


def test_an_open_refund_is_paid_as_it_was_asked_for() -> None:
    """Its request has no words: it is the same before and after, and its outcome is recorded."""
    payments = InMemoryPayments(lambda _: RefundPending("re_1"))
    service = shop(payments=payments)
    tell(service)
    (effect,) = service.returns.load("order_1").open_effects.values()
    assert isinstance(effect.request, RefundRequest)

    assert service.redact("order_1") is not None

    (after,) = service.returns.load("order_1").open_effects.values()
    assert after.request == effect.request
    assert CANARY not in codec.encode(service.export("order_1"))
    service.resume(service.list("order_1")[0].id)
    assert list(payments.refunds) == [effect.request.key]


def sending_back(carrier: Carrier) -> ReturnService:
    """A service whose carrier does not take goods that are to go back, which are described in words."""
    service = shop(fulfillment=carrier)
    opened = service.handle(request(1))
    sock = ForeignItem(description=CANARY, note=CANARY, images=[CANARY])
    items = [ReceivedItem(item_id="mug", quantity=1)]
    service.handle(ReceiveReturn(return_id=opened.id, items=items, foreign=[sock]))
    decision = ForeignDecision(number=1, send_back=True, note=CANARY)
    service.handle(ResolveReturn(return_id=opened.id, foreign=[decision]))
    return service


def test_a_request_with_words_is_done_before_they_go() -> None:
    """A carrier that was asked to bring it is asked the same again; nothing changed until then."""
    carrier = Carrier()
    carrier.away = True
    service = sending_back(carrier)
    before = service.returns.load("order_1")

    with pytest.raises(NotAllowed) as error:
        service.redact("order_1")

    assert [each.code for each in error.value.violations] == ["effect_open"]
    assert CANARY not in str(error.value)
    assert service.returns.load("order_1") == before
    carrier.away = False
    service.resume(before.returns[0].id)
    assert service.redact("order_1") is not None
    assert CANARY not in codec.encode(service.export("order_1"))


def test_a_repository_that_cannot_redact_is_named() -> None:
    """Nothing is half redacted."""

    @frozen
    class Old:
        port: Any

        def load(self, order_id: str) -> ReturnLedger:
            ledger: ReturnLedger = self.port.load(order_id)
            return ledger

        def history(self, order_id: str) -> tuple[Event, ...]:
            history: tuple[Event, ...] = self.port.history(order_id)
            return history

    service = shop()
    tell(service)
    old: Any = Old(service.returns)
    with pytest.raises(InvalidValue, match=r"Old cannot redact an order: it needs the method `redact`"):
        evolve(service, returns=old).redact("order_1")


class Racing(InMemoryReturns):
    """A store in which something happens before it stores a redaction."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Callable[[], object]] = []
        self.is_answer_lost = False

    def redact(self, change: Change, history: tuple[Event, ...]) -> None:
        """After what happens before."""
        while self.before:
            self.before.pop()()
        super().redact(change, history)
        if self.is_answer_lost:
            self.is_answer_lost = False
            super().redact(change, history)  # the network sent it twice


def test_a_redaction_that_loses_a_race_is_made_again() -> None:
    """What was said meanwhile is taken, too."""
    returns = Racing()
    service = shop(returns=returns)
    tell(service)
    returns.before = [lambda: service.handle(request(1, created_by=CANARY))]

    event = service.redact("order_1")

    assert event == service.history("order_1")[-1]
    assert CANARY not in codec.encode(service.export("order_1"))


def test_a_redaction_that_arrives_twice_is_answered_by_its_event() -> None:
    """The store refuses the second as stale, which says nothing about the first."""
    returns = Racing()
    service = shop(returns=returns)
    tell(service)
    returns.is_answer_lost = True

    event = service.redact("order_1")

    assert event is not None
    assert [each for each in service.history("order_1") if isinstance(each, OrderRedacted)] == [event]


def test_an_export_is_of_one_revision() -> None:
    """What is committed between its reads is in both, or in neither."""

    class Busy(InMemoryReturns):
        others: Iterable[Callable[[], object]] = ()

        def load(self, order_id: str) -> ReturnLedger:
            found = super().load(order_id)
            others, self.others = self.others, ()
            for each in others:
                each()
            return found

    returns = Busy()
    service = shop(returns=returns)
    tell(service)
    returns.others = (lambda: service.handle(request(1)),)
    export = service.export("order_1")
    assert export.ledger.revision == export.history[-1].revision
    assert len(export.ledger.returns) == 2


def test_an_export_of_an_order_that_never_rests_fails() -> None:
    """It is asked for again later."""

    class Restless(InMemoryReturns):
        def load(self, order_id: str) -> ReturnLedger:
            return evolve(super().load(order_id), revision=99)

        def history(self, order_id: str) -> tuple[Event, ...]:
            return shop_history()

    service = shop(returns=Restless())
    with pytest.raises(StaleLedger):
        service.export("order_1")


def shop_history() -> tuple[Event, ...]:
    """What happened in another shop."""
    service = shop()
    tell(service)
    return service.history("order_1")


def test_no_line_of_the_log_has_words_of_a_person(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is done, fails, or is refused; also where an adapter shows the request that it was given."""
    caplog.set_level(logging.DEBUG)

    class Strict(InMemoryEvents):
        def publish(self, event_id: str, event: Event) -> None:
            raise ValueError(f"cannot publish {event}")

    carrier = Carrier()
    carrier.away = True
    service = shop(events=Strict(), fulfillment=carrier)
    tell(service)
    opened = service.handle(asked(1, "c", shipping_option_id="post"))
    service.handle(
        planted(
            ReceiveReturn(
                return_id=opened.id,
                items=[ReceivedItem(item_id="mug", quantity=1)],
                foreign=[ForeignItem(description="?")],
            )
        )
    )
    service.handle(
        planted(ResolveReturn(return_id=opened.id, foreign=[ForeignDecision(number=1, send_back=True)]))
    )
    service.handle(
        planted(
            RequestClaim(
                order_id="order_1",
                type="refund",
                items=[ClaimItem(item_id="mug", quantity=1, reason="other")],
            )
        )
    )
    for refused in (
        CancelReturn(return_id=opened.id),
        asked(99, "d"),
        asked(1, "a"),
        receive(1, return_id="ret_9"),
    ):
        with pytest.raises(RmaError) as error:
            service.handle(planted(refused) if not isinstance(refused, RequestReturn) else refused)
        assert CANARY not in f"{error.value} {error.value!r}"
    service.redact("order_1", ["metadata"], created_by=CANARY)
    service.resume()

    assert "EffectFailed" in caplog.text
    assert "PublishingFailed" in caplog.text
    assert CANARY not in caplog.text
    assert not [record for record in caplog.records if CANARY in repr(vars(record))]
    assert CANARY not in repr(service.list("order_1")) + repr(service.history("order_1"))
    assert CANARY not in repr(service.timeline("order_1")) + repr(service.outstanding())


#: Words of a person, as no field can hold them.
SPOILED: list[Any] = [[CANARY], {CANARY: 1}, CANARY + "\ud800", CANARY.encode(), (CANARY, 1), CANARY * 1000]


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda each: type(each).__name__)
def test_no_error_says_what_a_person_said(spoiled: Any) -> None:
    """It says which field is wrong, and what would be right."""
    service = shop()
    items = [
        RequestedItem(
            item_id="mug", quantity=1, note=spoiled, images=spoiled, metadata={"said": {1: spoiled}}
        )
    ]
    command = RequestReturn(
        order_id="order_1",
        items=items,
        refund_note=spoiled,
        overrule=spoiled,
        created_by=spoiled,
        metadata={"said": spoiled, "at": {CANARY}},
    )
    with pytest.raises(Invalid) as error:
        service.handle(command)
    assert "note" in str(error.value)
    assert CANARY not in f"{error.value} {error.value!r} {error.value.violations!r}"
    with pytest.raises(Invalid) as document:
        codec.encode(command)
    assert CANARY not in f"{document.value} {document.value!r}"
