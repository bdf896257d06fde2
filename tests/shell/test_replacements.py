"""Exchanges and claims through the service: repeated commands, failing ports, and answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Claim,
    ClaimItem,
    ClaimStatus,
    Command,
    Exchange,
    ExchangeStatus,
    Idempotent,
    Invalid,
    NewItem,
    NotAllowed,
    NotFound,
    NotIdempotent,
    RecordExchangePayment,
    RecordRefundOutcome,
    RefundDeclined,
    RefundReversed,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
)
from rma.adapters.memory import InMemoryPayments
from rma.testing.faults import AnswerLost, Away, Declines
from tests.rules.given import line, order_of, receive, request, usd
from tests.world import World, later

MUGS = [RequestedItem(item_id="mug", quantity=2)]
CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500))
BROKEN = [ClaimItem(item_id="mug", quantity=2, reason="production_failure")]


def exchange(**more: Any) -> RequestExchange:
    """Requests an exchange of two mugs at 10.00 for a cup at 15.00."""
    return RequestExchange(order_id="order_1", items=MUGS, new_items=[CUP], **more)


def claim(kind: str = "refund", **more: Any) -> RequestClaim:
    """Requests a claim for two mugs."""
    new_items = [CUP] * (kind == "replace")
    return RequestClaim(order_id="order_1", type=kind, items=BROKEN, new_items=new_items, **more)


@pytest.fixture
def world() -> World:
    """Returns a world with an order of five mugs."""
    return World(order_of(line(quantity=5)))


def test_an_exchange_from_request_to_replacement(world: World) -> None:
    """
    An exchange books one label, restocks once, refunds the difference once and sends the new items once.
    """
    opened = world.service.handle(exchange(shipping_option_id="so_return"))
    received = world.service.handle(receive(2))

    done = world.service.get_exchange(opened.id)
    assert (opened.status, done.status) == (ExchangeStatus.REQUESTED, ExchangeStatus.COMPLETED)
    assert received.exchange_id == opened.id
    assert list(world.fulfillment.shipments) == ["ret_1-shipment-1"]
    assert list(world.inventory.restocks) == ["ret_1-restock-1"]
    assert [(asked.amount, asked.reason) for asked in world.payments.refunds.values()] == [
        (usd(300), "exchange")
    ]
    assert list(world.fulfillment.replacements) == ["exc_1-replacement-1"]
    assert done.shipment is not None
    assert done.shipment.tracking_number == "TRACK-exc_1-replacement-1"
    assert world.service.exchanges("order_1") == (done,)
    assert not world.ledger.open_effects


def test_a_claim_from_request_to_refund(world: World) -> None:
    """A claim is refunded at once, and the receipt of its goods restocks them without a refund."""
    made = world.service.handle(claim(return_items=True))
    world.service.handle(receive(2))

    assert made.refunds[0].status == "succeeded"
    assert world.service.get_claim(made.id).status is ClaimStatus.COMPLETED
    assert world.service.claims("order_1") == (world.service.get_claim(made.id),)
    assert list(world.payments.refunds) == ["claim_1-refund-1"]
    assert world.inventory.on_hand == {(None, "mug"): 2}


def test_a_quote_of_an_exchange_does_nothing(world: World) -> None:
    """
    A quote equals the exchange that the command opens, changes nothing, and refuses what the command
    refuses.
    """
    quote = world.service.quote(exchange(shipping_option_id="so_return"))
    assert not world.ledger.returns

    opened = world.service.handle(exchange(shipping_option_id="so_return"))
    assert quote.difference_due == opened.difference_due == usd(-300)
    assert quote.breakdown == world.service.get(opened.return_id).breakdown
    assert [(item.item_id, item.amount) for item in quote.items] == [("mug", usd(2000))]
    with pytest.raises(Invalid):
        world.service.quote(evolve(exchange(), new_items=()))


def script(world: World) -> Iterator[Command]:
    """Yields every command of exchanges and claims once, each when it is possible."""
    one = [RequestedItem(item_id="mug", quantity=1)]
    yield exchange()
    yield receive(3, return_id="ret_1")
    yield ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=2)])
    yield RecordExchangePayment(exchange_id="exc_1", amount=500, reference="ch_1")
    yield evolve(exchange(), items=tuple(one))
    yield CancelExchange(exchange_id=world.ledger.exchanges[-1].id)
    yield claim("replace")
    other = ClaimItem(item_id="mug", quantity=1, reason="other")
    yield RequestClaim(order_id="order_1", type="refund", items=[other], refund_amount=0)
    yield CancelClaim(claim_id=world.ledger.claims[-1].id)
    world.faults.refunds.append(Declines())
    yield RequestClaim(order_id="order_1", type="refund", items=[other])
    yield ResolveClaim(claim_id=world.ledger.claims[-1].id, refund_amount=0)


def test_every_command_sent_twice_is_done_once(world: World) -> None:
    """A command repeated under its key gets the same answer, without a commit or a port call."""
    for number, command in enumerate(script(world)):
        keyed = evolve(command, idempotency_key=f"key_{number}")
        first = world.service.handle(keyed)
        revision, calls = world.ledger.revision, world.faults.calls

        again = world.service.handle(keyed)

        assert again == first, command
        assert world.ledger.revision == revision
        asked = [call.method for call in world.faults.calls[len(calls) :]]
        assert not [method for method in asked if method.startswith(("payments", "inventory", "fulfillment"))]
    assert [each.status.value for each in world.ledger.exchanges] == ["completed", "canceled"]
    assert [each.status.value for each in world.ledger.claims] == ["completed", "canceled", "completed"]


def test_a_replacement_is_resumed_by_exchange_return_or_order(world: World) -> None:
    """
    An open replacement is sent by `resume` with the id of the exchange, of its return, or without an id.
    """
    for way in ("exc_1", "ret_1", None):
        here = World(order_of(line(quantity=5)))
        here.faults.breaks("fulfillment", AnswerLost())
        here.service.handle(exchange())
        here.service.handle(receive(2))
        assert list(here.ledger.open_effects) == ["exc_1-replacement-1"]
        here.faults.calm()

        resumed = here.service.resume(way) if way else later(here.service).resume()

        assert resumed.still_open == ()
        assert list(here.fulfillment.replacements) == ["exc_1-replacement-1"]
        assert here.service.get_exchange("exc_1").shipment is not None


def test_a_claims_refund_that_failed_is_retried_and_notified(world: World) -> None:
    """A retry and a recorded outcome for a claim both return the claim."""
    world.faults.refunds.append(Declines())
    made = world.service.handle(claim())
    assert made.amount_due == usd(2000)

    retried = world.service.handle(RetryRefund(claim_id=made.id))

    assert isinstance(retried, Claim)
    assert (retried.amount_due, len(retried.refunds)) == (usd(0), 2)
    reversal = RecordRefundOutcome(key=retried.refunds[1].key, outcome=RefundReversed())
    reversed_ = world.service.handle(reversal)
    assert isinstance(reversed_, Claim)
    assert reversed_.needs_attention


def test_a_claim_at_a_gateway_that_is_not_idempotent_needs_attention() -> None:
    """The refund of a claim needs attention after an unknown outcome at a NotIdempotent gateway."""
    world = World(order_of(line(quantity=5)), gateway=NotIdempotent())
    world.faults.breaks("payments", Away())

    made = world.service.handle(claim())

    assert [refund.status for refund in made.refunds] == ["needs_attention"]
    assert not world.ledger.open_effects


def test_without_fulfillment_nothing_new_can_be_sent() -> None:
    """Without fulfillment an exchange and a replace claim are refused, and a refund claim is accepted."""
    world = World(order_of(line(quantity=5)))
    service = evolve(world.service, fulfillment=None)

    for command in (exchange(), claim("replace")):
        with pytest.raises(Invalid) as error:
            service.handle(command)
        assert error.value.code == "no_fulfillment"
    assert service.handle(claim()).refunded == usd(2000)


def test_unknown_exchanges_claims_and_returns_are_not_found(world: World) -> None:
    """Reading or changing an unknown exchange, claim or return raises NotFound with its own code."""
    opened = world.service.handle(request(1))
    for read, code in (
        (lambda: world.service.get_exchange("exc_9"), "exchange_not_found"),
        (lambda: world.service.get_claim("claim_9"), "claim_not_found"),
        (lambda: world.service.get_exchange(opened.id), "exchange_not_found"),
        (lambda: world.service.get_claim(opened.id), "claim_not_found"),
        (lambda: world.service.handle(CancelExchange(exchange_id=opened.id)), "exchange_not_found"),
        (lambda: world.service.handle(CancelClaim(claim_id="")), "claim_not_found"),
        (lambda: world.service.handle(RetryRefund()), "return_not_found"),
        (lambda: world.service.resume("exc_9"), "return_not_found"),
    ):
        with pytest.raises(NotFound) as error:
            read()
        assert error.value.code == code
    assert world.service.exchanges("order_9") == ()
    assert world.service.claims("order_9") == ()


def test_each_command_returns_its_subject(world: World) -> None:
    """An exchange command returns an Exchange, a receipt a Return and a claim command a Claim."""
    answers: tuple[Exchange, Return, Claim] = (
        world.service.handle(exchange()),
        world.service.handle(receive(2)),
        world.service.handle(claim()),
    )

    assert [type(each) for each in answers] == [Exchange, Return, Claim]


def test_the_service_returns_transactions_and_timeline(world: World) -> None:
    """
    Both are returned for an order; an unknown order has no entries, and its transactions raise NotFound.
    """
    world.service.handle(exchange())
    world.service.handle(receive(2))

    (transaction,) = world.service.transactions("order_1")
    assert (transaction.return_id, transaction.exchange_id, transaction.amount) == (
        "ret_1",
        "exc_1",
        usd(-500),
    )
    assert [entry.summary for entry in world.service.timeline("order_1")][:2] == [
        "ret_1 requested",
        "exc_1 requested for ret_1",
    ]
    assert world.service.timeline("order_9") == ()
    with pytest.raises(NotFound):
        world.service.transactions("order_9")


def test_a_resolution_withdraws_after_its_restock() -> None:
    """If the inventory failed, `resume` delivers the restock and then the withdrawal."""
    world = World(order_of(line(quantity=5)), gateway=Idempotent())
    world.service.handle(request(2))
    world.faults.breaks("inventory", Away())
    world.service.handle(receive(3))
    world.service.handle(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=1)]))
    assert list(world.ledger.open_effects) == ["ret_1-restock-1", "ret_1-withdraw-1"]
    world.faults.calm()

    later(world.service).resume()

    assert not world.ledger.open_effects
    assert world.inventory.on_hand == {(None, "mug"): 2}


def test_a_declined_refund_is_written_off(world: World) -> None:
    """A resolution with a refund of 0 ends what is due, and cannot be repeated."""
    service = evolve(world.service, payments=InMemoryPayments(answer=lambda _: RefundDeclined("card_closed")))
    service.handle(request(1))
    service.handle(receive(1))

    resolved = service.handle(ResolveReturn(return_id="ret_1", refund_amount=0))

    assert (resolved.amount_due, resolved.needs_attention) == (usd(0), False)
    with pytest.raises(NotAllowed):
        service.handle(ResolveReturn(return_id="ret_1", refund_amount=0))
    assert isinstance(service.handle(claim()), Claim)


def test_a_canceled_claims_return_leaves_the_claim(world: World) -> None:
    """Canceling the return of a claim leaves the refund of the claim."""
    made = world.service.handle(claim(return_items=True))
    assert made.return_id is not None

    world.service.handle(CancelReturn(return_id=made.return_id))

    assert world.service.get_claim(made.id).refunded == usd(2000)
