"""What may be asked next in the life of an order, drawn by hypothesis."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st

from rma.domain.messages.command_items import ClaimItem, ReceivedItem, RejectedItem, RequestedItem
from rma.domain.messages.commands import (
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    ReceiveReturn,
    RecordExchangePayment,
    RecordRefundOutcome,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RetryRefund,
)
from rma.domain.messages.effects import RefundDeclined, RefundOutcome, RefundReversed, RefundSucceeded
from rma.domain.sale.new_item import NewItem
from rma.domain.state.claims import ClaimReason
from rma.domain.state.exchanges import Exchange
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.domain.views.returnable import returnable_items
from rma.testing.core_harness import CoreHarness

T = TypeVar("T")

#: What gateways tell about refunds by themselves.
_NOTICES: tuple[RefundOutcome | RefundReversed, ...] = (
    RefundSucceeded("re_told"),
    RefundDeclined("refund_failed"),
    RefundReversed(),
)


def next_command(draw: st.DrawFn, harness: CoreHarness, sent: list[Command], key: str) -> Command:
    """A command under this key that mostly can be done now, or one of those that were sent."""
    ledger = harness.ledger
    still_open = [each for each in ledger.returns if each.is_open]
    disputed = [each for each in ledger.returns if each.status is ReturnStatus.REQUIRES_ACTION]
    begun = disputed + [each for each in still_open if each.was_partially_received]
    unpaid = [each for each in ledger.returns if each.amount_due.amount]
    unpaid_claims = [each for each in ledger.claims if each.amount_due.amount]
    refunds = list(ledger.refunds)
    owing = [each for each in ledger.exchanges if each.owed.amount]
    exchanges = [each for each in ledger.exchanges if each.status is not ExchangeStatus.COMPLETED]
    claims = [each for each in ledger.claims if each.status is not ClaimStatus.CANCELED]

    def one(found: list[T]) -> T:
        return draw(st.sampled_from(found))

    able: list[tuple[int, object, Callable[[], Command]]] = [
        (2, True, lambda: _request(draw, harness, key)),
        (1, True, lambda: _exchange(draw, harness, key)),
        (1, True, lambda: _claim(draw, harness, key)),
        (5, still_open, lambda: _receipt(draw, one(still_open), key)),
        (1, still_open, lambda: CancelReturn(return_id=one(still_open).id, idempotency_key=key)),
        (2, disputed, lambda: CancelReturn(return_id=one(disputed).id, idempotency_key=key)),
        (3, begun, lambda: _resolution(draw, one(begun), key)),
        (4, unpaid, lambda: RetryRefund(return_id=one(unpaid).id, idempotency_key=key)),
        (3, unpaid_claims, lambda: RetryRefund(claim_id=one(unpaid_claims).id, idempotency_key=key)),
        (4, owing, lambda: _payment(draw, one(owing), key)),
        (1, exchanges, lambda: CancelExchange(exchange_id=one(exchanges).id, idempotency_key=key)),
        (1, claims, lambda: CancelClaim(claim_id=one(claims).id, idempotency_key=key)),
        (2, refunds, lambda: _notice(draw, one(refunds).key, key)),
        (1, sent, lambda: one(sent)),
    ]
    kinds = [make for weight, possible, make in able if possible for _ in range(weight)]
    return draw(st.sampled_from(kinds))()


def _wanted(draw: st.DrawFn, harness: CoreHarness) -> dict[str, int]:
    """Some of what can come back, everything, or what can not."""
    found = returnable_items(harness.order, harness.ledger, harness.policy, harness.now)
    wanted = {each.item_id: draw(st.integers(0, each.quantity)) for each in found}
    if not any(wanted.values()):
        wanted = {each.item_id: each.quantity for each in found}
    return {item_id: quantity for item_id, quantity in wanted.items() if quantity}


def _request(draw: st.DrawFn, harness: CoreHarness, key: str) -> RequestReturn:
    order = harness.order
    custom = draw(st.one_of(st.none(), st.none(), st.integers(0, 400)))
    return RequestReturn(
        order_id=order.id,
        items=[
            RequestedItem(item_id=item_id, quantity=quantity, note="too big")
            for item_id, quantity in _wanted(draw, harness).items()
        ],
        shipping_option_id=draw(st.sampled_from([None, *harness.options])),
        refund_amount=None if custom is None else Money(custom, order.currency),
        created_by=draw(st.sampled_from([None, "customer", "clerk é"])),
        metadata=draw(st.sampled_from([{}, {"channel": "web", "tags": ["a", 1, None, {"deep": True}]}])),
        idempotency_key=key,
    )


def _new_items(draw: st.DrawFn, harness: CoreHarness) -> list[NewItem]:
    price = Money(draw(st.integers(0, 5000)), harness.order.currency)
    return [NewItem(variant_id="v_new", quantity=draw(st.integers(1, 2)), unit_price=price, title="New")]


def _exchange(draw: st.DrawFn, harness: CoreHarness, key: str) -> RequestExchange:
    return RequestExchange(
        order_id=harness.order.id,
        items=[
            RequestedItem(item_id=item_id, quantity=quantity)
            for item_id, quantity in _wanted(draw, harness).items()
        ],
        new_items=_new_items(draw, harness),
        shipping_option_id=draw(st.sampled_from([None, *harness.options])),
        idempotency_key=key,
    )


def _payment(draw: st.DrawFn, target: Exchange, key: str) -> RecordExchangePayment:
    amount = draw(st.one_of(st.just(target.owed.amount), st.integers(1, target.owed.amount)))
    return RecordExchangePayment(
        exchange_id=target.id,
        amount=Money(amount, target.currency),
        reference=f"ch_{target.id}_{len(target.payments) + 1}",
        idempotency_key=key,
    )


def _claim(draw: st.DrawFn, harness: CoreHarness, key: str) -> RequestClaim:
    kind = draw(st.sampled_from(["refund", "refund", "replace"]))
    is_refund = kind == "refund"
    custom = draw(st.one_of(st.none(), st.integers(0, 400))) if is_refund else None
    reason = draw(st.sampled_from([each.value for each in ClaimReason]))
    return RequestClaim(
        order_id=harness.order.id,
        type=kind,
        items=[
            ClaimItem(item_id=item_id, quantity=quantity, reason=reason, images=["a.jpg"])
            for item_id, quantity in _wanted(draw, harness).items()
        ],
        new_items=[] if is_refund else _new_items(draw, harness),
        refund_amount=None if custom is None else Money(custom, harness.order.currency),
        shipping_option_id=draw(st.sampled_from([None, None, *harness.options])),
        return_items=draw(st.booleans()),
        idempotency_key=key,
    )


def _receipt(draw: st.DrawFn, target: Return, key: str) -> ReceiveReturn:
    missing: dict[str, int] = {}
    for item in target.items:
        missing[item.item_id] = missing.get(item.item_id, 0) + item.missing_quantity
    arrivals = draw(st.sampled_from(["all", "all", "a part", "a part", "more"]))
    items = []
    for item_id, quantity in missing.items():
        count = draw(st.integers(0, quantity)) if arrivals == "a part" else quantity + (arrivals == "more")
        damaged = draw(st.one_of(st.just(0), st.integers(0, count)))
        items.append(ReceivedItem(item_id=item_id, quantity=count - damaged, damaged_quantity=damaged))
    accept = draw(st.sampled_from(["", "", "allow_mismatch", "more_expected"]))
    return ReceiveReturn(
        return_id=target.id,
        items=items,
        allow_mismatch=accept == "allow_mismatch",
        more_expected=accept == "more_expected",
        idempotency_key=key,
    )


def _resolution(draw: st.DrawFn, target: Return, key: str) -> ResolveReturn:
    rejected = []
    for item in target.items:
        good = draw(st.one_of(st.just(0), st.integers(0, item.received_quantity)))
        bad = draw(st.one_of(st.just(0), st.integers(0, item.damaged_quantity)))
        if good or bad:
            rejected.append(
                RejectedItem(
                    item_id=item.item_id,
                    quantity=good,
                    damaged_quantity=bad,
                    reason="worn",
                    send_back=draw(st.booleans()),
                )
            )
    return ResolveReturn(return_id=target.id, rejected=rejected, idempotency_key=key)


def _notice(draw: st.DrawFn, refund_key: str, key: str) -> RecordRefundOutcome:
    outcome = draw(st.sampled_from(_NOTICES))
    return RecordRefundOutcome(key=refund_key, outcome=outcome, notification_id=key, idempotency_key=key)
