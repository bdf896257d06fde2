"""The timeline of an order, and its transactions."""

from datetime import timedelta

from attrs import evolve
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    ApprovedItem,
    ApproveReturn,
    Bonus,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ChargeDeclined,
    ChargeSucceeded,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    Event,
    ExpireReturn,
    ForeignDecision,
    ForeignItem,
    Hold,
    InspectedItem,
    InspectReturn,
    MissingItem,
    NewItem,
    OutOfStock,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundReversed,
    RejectedItem,
    RenewShipment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    SettleAdvance,
    TimelineEntry,
    UpdateExchange,
)
from rma.domain.change import apply_lease, apply_publication
from rma.domain.events import DeliveryChanged, EventsPublished, HistoryArchived, OrderRedacted
from rma.domain.messages.effects import Unknown
from rma.domain.views.order_state import order_state
from rma.domain.views.timeline import timeline
from rma.domain.views.transactions import transactions
from rma.testing.commands import MAKERS
from rma.testing.core_harness import Flow
from rma.testing.strategies import flows
from tests.rules.given import Given, line, order_of, put, receive, request, update, usd, vat

CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(2500))


def everything() -> Given:
    """Returns a history with returns, exchanges, claims and outcomes of every kind."""
    given = Given(order_of(line(quantity=20, tax_lines=vat("10")), captured=22_000))
    given.when(request(2, shipping_option_id="so_return", created_by="Ada"))
    given.all_delivered()
    given.when(receive(1, more_expected=True, created_by="Bo"))
    given.when(receive(0, 1))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))
    given.when(RetryRefund(return_id="ret_1"))
    given.all_delivered()
    given.when(
        RecordRefundOutcome(key="ret_1-refund-2", outcome=RefundReversed("bank", "returned by the bank"))
    )
    given.when(RecordRefundOutcome(key="ret_1-refund-2", outcome=RefundReversed(), idempotency_key="again"))
    given.when(request(1))
    given.when(receive(2, return_id="ret_2", location_id="loc_1"))
    rejected = [
        RejectedItem(item_id="mug", quantity=1, reason="worn"),
        RejectedItem(item_id="mug", quantity=1, send_back=False),
    ]
    given.when(ResolveReturn(return_id="ret_2", rejected=rejected, created_by="Cy"))
    given.when(request(1))
    given.when(receive(2, return_id="ret_3"))
    given.when(CancelReturn(return_id="ret_3"))
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestExchange(order_id="order_1", items=mugs, new_items=[CUP]))
    given.when(receive(1, return_id="ret_4"))
    given.when(RecordExchangePayment(exchange_id="exc_4", amount=1400, reference="ch_1"))
    given.when(RequestExchange(order_id="order_1", items=mugs, new_items=[CUP]))
    given.when(CancelExchange(exchange_id="exc_5"))
    broken = [ClaimItem(item_id="mug", quantity=1, reason="missing_item")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken, return_items=True))
    given.record_outcomes(("claim_6-refund-1", RefundDeclined("card_closed")))
    given.when(RetryRefund(claim_id="claim_6"))
    given.when(receive(1, return_id="ret_6"))
    given.when(RequestClaim(order_id="order_1", type="replace", items=broken, new_items=[CUP]))
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken, refund_amount=0))
    given.when(CancelClaim(claim_id="claim_8"))
    given.all_delivered()
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken))
    given.record_outcomes(("claim_9-refund-1", RefundDeclined("card_closed")))
    given.when(ResolveClaim(claim_id="claim_9", refund_amount=0))
    put(given, payments=[])
    given.when(request(2))
    given.when(receive(2, return_id=given.ledger.returns[-1].id))
    before_the_goods(given)
    inspections(given)
    return given


def everything_with_the_dock() -> Given:
    """Returns the same history, with goods besides that no one expected, or that were counted wrong."""
    given = everything()
    at_the_dock(given)
    other_means(given)
    without_goods(given)
    sent_first(given)
    return given


def without_goods(given: Given) -> None:
    """Adds money that is given back while the goods stay."""
    scratched = ClaimItem(item_id="mug", quantity=1, reason="other", amount=usd(110))
    given.when(RequestClaim(order_id="order_1", type="reduce", items=[scratched]))


def sent_first(given: Given) -> None:
    """Adds what can happen to new goods that are sent first, and to money that is paid first."""
    given.policy = ReturnPolicy(return_within_days=1, pay_on="request")
    put(given, items=(line(quantity=30, tax_lines=vat("10")),))
    put(given, payments=[Payment(id="pay_3", captured=usd(50_000))])
    given.when(request(1, created_by="Ed"))
    until = given.now + timedelta(days=30)
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    even = NewItem(variant_id="v_cup", quantity=1, unit_price=1100)
    for number, new in enumerate((even, CUP), start=1):
        hold = Hold(f"auth_{number}", usd(1100), until)
        given.when(RequestExchange(order_id="order_1", items=mugs, new_items=[new], ship="first", hold=hold))
    first, second = given.ledger.exchanges[-2:]
    given.when(RecordExchangePayment(exchange_id=second.id, amount=1400, reference="paid_1"))
    given.record_outcomes((f"{second.id}-replacement-1", OutOfStock("none left")))
    other = NewItem(variant_id="v_pot", quantity=1, unit_price=9000)
    given.when(UpdateExchange(exchange_id=second.id, new_items=[other]))
    given.now += timedelta(days=2)
    given.record_overdue(second.return_id)
    given.when(SettleAdvance(exchange_id=first.id, created_by="Flo"))
    key = f"{first.id}-charge-1"
    given.record_outcomes((key, ChargeDeclined("expired", "too late")))
    given.when(SettleAdvance(exchange_id=first.id, write_off=1, note="kind", created_by="Flo"))
    given.when(RecordChargeOutcome(key=key, outcome=ChargeSucceeded("ch_9")))
    given.when(CancelExchange(exchange_id=second.id))


def at_the_dock(given: Given) -> None:
    """Adds what can happen to goods that no one expected, or that were counted wrong."""
    given.policy = ReturnPolicy()
    put(given, payments=[Payment(id="pay_2", captured=usd(9000))])
    sock = ForeignItem(description="a sock", quantity=2)
    mugs = [ReceivedItem(item_id="mug", quantity=2)]
    given.when(ReceiveUnannounced(order_id="order_1", items=mugs, foreign=[sock], location_id="loc_1"))
    unexpected = given.ledger.returns[-1].id
    away = ForeignDecision(number=1, send_back=True)
    given.when(ResolveReturn(return_id=unexpected, foreign=[away]))
    counted = [CorrectedItem(item_id="mug", quantity=0, damaged_quantity=1)]
    given.when(CorrectReceipt(return_id=unexpected, items=counted, reason="counted again"))
    given.when(request(1))
    empty = given.ledger.returns[-1].id
    given.when(ReceiveReturn(return_id=empty))
    lost = MissingItem(item_id="mug", quantity=1, pay=True, reason="stolen")
    given.when(ResolveReturn(return_id=empty, missing=[lost]))


def other_means(given: Given) -> None:
    """Adds what is given back otherwise than to payments."""
    put(given, customer_id="cus_1")
    credit = ReturnRule(name="credit", outcomes=["store_credit"], bonus=Bonus("thanks", percent=10))
    given.policy = ReturnPolicy(rules=[credit])
    given.when(request(1, outcome="store_credit", payee="cus_2"))
    given.when(receive(1, return_id=given.ledger.returns[-1].id))
    given.policy = ReturnPolicy(when_closed="payout")
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken))
    claim_id = given.ledger.claims[-1].id
    given.record_outcomes((f"{claim_id}-refund-1", RefundDeclined("card_closed")))
    given.record_outcomes((f"{claim_id}-refund-2", RefundDeclined("no_account")))
    given.when(RecordPayout(claim_id=claim_id, amount=1100, reference="cash"))
    given.policy = ReturnPolicy()
    given.when(request(1))
    return_id = given.ledger.returns[-1].id
    given.when(receive(1, return_id=return_id))
    given.record_outcomes((f"{return_id}-refund-1", RefundDeclined("card_closed")))
    given.when(RecordPayout(return_id=return_id, amount=600, reference="bank_1"))


def before_the_goods(given: Given) -> None:
    """Adds what can happen before goods arrive."""
    given.policy = ReturnPolicy(review=True, return_within_days=1)
    given.when(request(2, shipping_option_id="so_return"))
    waiting = given.ledger.returns[-1].id
    mugs = [ApprovedItem(item_id="mug", quantity=1)]
    given.when(ApproveReturn(return_id=waiting, items=mugs, note="keep the other"))
    given.when(evolve(update(2), return_id=waiting))
    given.when(ApproveReturn(return_id=waiting))
    given.when(evolve(update(1, shipping_option_id="so_return"), return_id=waiting))
    given.when(RenewShipment(return_id=waiting))
    given.when(RecordSending(return_id=waiting, tracking_number="1Z", proof="receipt"))
    given.when(request(1))
    given.when(DeclineReturn(return_id=given.ledger.returns[-1].id, reason="worn", note="sorry"))
    given.when(request(1))
    expired = given.ledger.returns[-1].id
    given.when(ApproveReturn(return_id=expired))
    given.now += timedelta(days=2)
    given.when(ExpireReturn(return_id=expired))


def inspections(given: Given) -> None:
    """Adds what can be said of goods that wait."""
    given.policy = ReturnPolicy(inspect=True)
    given.when(request(4))
    waiting = given.ledger.returns[-1].id
    given.when(receive(3, return_id=waiting, location_id="loc_1"))
    given.when(ResolveReturn(return_id=waiting))
    looked_at = [
        InspectedItem(item_id="mug", quantity=1, grade="sellable"),
        InspectedItem(item_id="mug", quantity=1, grade="damaged", disposition="outlet", note="cracked"),
    ]
    given.when(InspectReturn(return_id=waiting, items=looked_at, created_by="Di"))
    back = InspectedItem(item_id="mug", quantity=1, grade="damaged", disposition="send_back")
    again = InspectedItem(item_id="mug", quantity=1, grade="damaged", previous_grade="sellable")
    given.when(InspectReturn(return_id=waiting, items=[back, again]))


def entries_of(given: Given) -> list[TimelineEntry]:
    """Returns the timeline of the history."""
    return list(timeline("order_1", given.history))


def test_every_kind_of_event_has_an_entry() -> None:
    """
    The timeline has an entry for every event but leases and publications.

    Those of an archive and a redaction are tested beside it: this order is not over.
    """
    given = everything_with_the_dock()

    assert {type(command) for command in given.commands} == {*MAKERS}
    silent = DeliveryChanged | EventsPublished | HistoryArchived | OrderRedacted
    kinds = {type(event) for event in given.history}
    assert kinds == {kind for kind in Event.__args__ if not issubclass(kind, silent)}
    entries = entries_of(given)
    assert [entry.event_id for entry in entries] == [event.event_id for event in given.history]
    published = apply_publication(given.ledger, given.ledger.revision, given.now).events
    assert timeline("order_1", published) == ()


def test_entries_render_who_when_what_and_how_much() -> None:
    """Each entry renders the time, the event, who caused it, stock moves and the breakdown of its amount."""
    rendered = "\n".join([str(entry) for entry in entries_of(everything_with_the_dock())])

    for line_of_it in (
        "2026-01-01 00:01  ret_1 requested (Ada)",
        "requested, waits for approval\n    2 x mug\n    20.00 USD",
        "approved\n    1 x mug\n    keep the other\n    9.00 USD",
        "updated, waits for approval\n    2 x mug\n    22.00 USD",
        ": way back booked again",
        "reported: nothing new about ret_1-refund-2",
        ": sent by the customer on 2026-01-01\n    1Z\n    receipt",
        "declined: worn\n    sorry",
        "expired: nothing was sent by 2026-01-02",
        "    20.00 USD\n        22.00 USD  item:mug\n            20.00 USD  price\n            2.00 USD  tax",
        "        -2.00 USD  return_shipping",
        "ret_1: answered\n    ret_1-shipment-1",
        ": paid before its goods arrive (Ed)\n    money: ",
        ": new goods sent first\n    1 x v_cup to be sent",
        ": hold charged (Flo)\n    money: 11.00 USD of the hold auth_1",
        "-charge-1: 11.00 USD failed (expired: too late)",
        "-charge-1: 11.00 USD succeeded",
        "-replacement-1: out of stock (none left)",
        ": new goods replaced, awaiting payment\n    1 x v_pot to be sent",
        ": payment given back\n    money: ",
        ": hold released\n    money: 11.00 USD free at auth_2",
        "ret_1: parcel 1, partially received (Bo)\n    1 x mug\n    stock: +1 mug at loc_1\n    money: 9.00",
        "ret_1: parcel 2, received\n    0 x mug, 1 damaged",
        "ret_1-refund-1: 9.00 USD failed (card_closed)",
        "ret_1: refund retried\n    money: 9.00 USD back to pay_1",
        "reported: ret_1-refund-2: 11.00 USD reversed (bank: returned by the bank)",
        "ret_2: parcel 1, requires action\n    2 x mug\n    stock: +2 mug at loc_1\n",
        "ret_2 resolved (Cy)\n    1 x mug rejected: worn, returned to customer\n",
        "returned to customer\n    1 x mug rejected, kept\n    0.00",
        "ret_3 canceled\n    2 x mug goes back from stock",
        "exc_4 requested for ret_4\n    1 x v_cup to be sent\n    14.00 USD",
        "exc_4: goods received, awaiting payment\n    14.00 USD owed",
        "exc_4: 14.00 USD paid (ch_1), completed",
        "exc_5 canceled",
        "claim_6 made: refund\n    1 x mug: missing item\n    money: 11.00 USD back to pay_1\n    11.00 USD",
        "claim_6: refund retried",
        "claim_6: goods received, completed",
        "claim_7 made: replace\n    1 x mug: missing item\n    1 x v_cup to be sent\n",
        "claim_8 canceled",
        "refund blocked\n    22.00 USD is due, only 0.00 USD can be paid: nothing was",
        "requires action\n    2 x mug\n    2 x a sock, not of the order\n    stock: +2 mug at loc_1\n",
        "    2 x a sock, not of the order, returned to customer\n    money: 22.00 USD back to pay_2\n",
        ": receipts corrected, received\n    counted again\n    -2 x mug\n    +1 x mug, damaged\n",
        "    stock: -2 mug at loc_1\n    11.00 USD paid too much\n    11.00 USD\n",
        ": parcel 1, requires action\n    nothing in it\n",
        " resolved\n    1 x mug lost, paid for: stolen\n    money: 11.00 USD back to pay_2\n",
        "    money: 11.00 USD and a bonus of 1.10 USD as store credit to cus_2\n",
        ": refund retried\n    money: 11.00 USD paid out",
        ": payout recorded\n    money: 11.00 USD paid out\n    reference cash",
        ": payout recorded\n    money: 6.00 USD paid out\n    reference bank_1",
    ):
        assert line_of_it in rendered, f"{line_of_it!r} in\n{rendered}"


def test_every_amount_is_the_sum_of_its_parts() -> None:
    """The amount of every entry is the sum of its breakdown."""
    for entry in entries_of(everything_with_the_dock()):
        if entry.amount is not None and entry.breakdown:
            assert sum(part.amount.amount for part in entry.breakdown) == entry.amount.amount, entry


@for_all(flow=flows())
def test_every_history_can_be_rendered(flow: Flow) -> None:
    """The entries of any history are in order, can be rendered, and their breakdowns add up."""
    events = [event for change in flow for event in change.events]

    entries = timeline("order_1", events)

    assert [entry.at for entry in entries] == sorted([entry.at for entry in entries])
    for entry in entries:
        assert str(entry)
        assert not entry.breakdown or sum(p.amount.amount for p in entry.breakdown) == entry.amount.amount  # type: ignore[union-attr] # it has parts


def test_transactions_are_linked_and_add_up_to_what_is_refundable() -> None:
    """
    Transactions name their return, exchange or claim, count a payment once, and add up to what is
    refundable.
    """
    given = everything()
    order = order_of(line(quantity=20), captured=22_000)

    found = transactions(order, given.ledger)

    assert 22_000 + sum(each.amount.amount for each in found) == given.ledger.refundable(order).amount
    subject_ids = [(each.return_id, each.exchange_id, each.claim_id) for each in found]
    assert dict(zip([(each.id, each.amount.amount) for each in found], subject_ids, strict=True)) == {
        ("ret_1-refund-3", -900): ("ret_1", None, None),
        ("exc_4/payment/ch_1", 1400): ("ret_4", "exc_4", None),
        ("claim_6-refund-2", -1100): ("ret_6", None, "claim_6"),
    }
    counted = Payment(id="ch_1", captured=usd(1400))
    assert transactions(evolve(order, payments=(*order.payments, counted)), given.ledger) == tuple(
        [each for each in found if each.reference == "refund"]
    )
    paid = next(each for each in found if each.reference == "payment")
    assert (paid.reference_id, paid.order_id) == ("ch_1", "order_1")
    assert [each.version for each in found] == sorted(each.version for each in found)
    assert found[0].version > order.version


@for_all(flow=flows(), version=st.integers(1, 5))
def test_transactions_add_up_whatever_happens(flow: Flow, version: int) -> None:
    """For any history the transactions sum to payments of exchanges less what was given back of payments."""
    for change in flow:
        order = order_of(captured=10_000_000, version=version)
        found = transactions(order, change.ledger)
        total = sum(each.amount.amount for each in found)
        paid = sum(each.paid.amount for each in change.ledger.exchanges)
        given_back = sum(each.amount_given_back for each in change.ledger.refunds)
        assert total == paid - given_back
        assert order_state(order, change.ledger).refunded.amount == given_back
        assert all(version <= each.version <= version + change.ledger.changes for each in found)


def test_a_lease_has_no_entry_and_a_failure_has_one_with_its_number() -> None:
    """Of an effect that failed twice there is one entry, which counts."""
    given = Given()
    given.when(request(1, shipping_option_id="so_return"))
    key = "ret_1-shipment-1"
    leased = apply_lease(given.ledger, key, given.now, given.now + timedelta(minutes=5))
    assert timeline("order_1", leased.events) == ()

    given.record_outcomes((key, Unknown("TimeoutError: 30 s")))
    (again,) = given.record_outcomes((key, Unknown("TimeoutError: 40 s")))

    (entry,) = timeline("order_1", (again,))
    assert f"{key}: tried 2 times in vain" in str(entry)
    assert "TimeoutError: 40 s" in str(entry)
