"""Defines races for the orders of `tests.testing.environment`: two or three commands at the same time."""

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve, frozen

from rma import (
    CancelClaim,
    CancelExchange,
    CancelReturn,
    DeclineReturn,
    Money,
    NewItem,
    Order,
    Payment,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RefundReversed,
    RefundSucceeded,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
)
from tests.testing.environment import (
    CHAPTERS,
    ORDER,
    Action,
    Archive,
    Redact,
    Resume,
    claim,
    exchange,
    first,
    goodwill,
    receive,
    redacted,
    reduce,
    request,
)

#: An order of fewer mugs than the script needs: 20, of which races are for the last.
OF_20 = evolve(
    ORDER,
    items=[
        evolve(each, quantity=20, fulfilled_quantity=20) if each.id == "mug" else each for each in ORDER.items
    ],
)


@frozen
class Scenario:
    """
    Commands that run at the same time on one order.

    Attributes:
        before: what was done before, one after the other.
        was_away: methods of ports that could not be reached then.
        racers: what is done at the same time, each by its own process.
        order: the order of all commands.
        is_long: whether there are too many schedules to try all of them in the test command.
        later: how long before.
    """

    before: tuple[Action, ...]
    racers: tuple[Action, ...]
    order: Order = OF_20
    was_away: Sequence[str] = ()
    is_long: bool = False
    later: timedelta = timedelta(hours=1)


_RECEIVED = receive(2, 1, 3)
_CANCELED = CancelReturn(return_id="ret_1", idempotency_key="key_3")
_DECLINED, _RETRIED = CHAPTERS[2][:2], CHAPTERS[2][2]
_WAITING = CHAPTERS[3][:1]  # for a carrier that does not answer
_PENDING = CHAPTERS[3][:3]


def _notification(outcome: RefundReversed | RefundSucceeded, key: str = "ret_9-refund-1") -> Action:
    notification = f"notice of {type(outcome).__name__}"
    return RecordRefundOutcome(key=key, outcome=outcome, notification_id=notification)


def _another(step: Action) -> Action:
    """Returns the same command from another client."""
    assert not isinstance(step, Resume | Archive | Redact)
    return evolve(step, idempotency_key="key_another")


_PAID = RecordExchangePayment(exchange_id="exc_1", amount=1201, reference="ch_1", idempotency_key="key_5")
_EXCHANGE_OFF = CancelExchange(exchange_id="exc_1", idempotency_key="key_6")
_A_CENT_TOO_LITTLE = evolve(ORDER, payments=[Payment(id="card", captured=Money(2 * 999 - 1, "usd"))])
_OPENED_TWICE = (request(1, 1, label=False), request(2, 1, label=False))

_REVIEWED, _APPROVAL, _UPDATE = CHAPTERS[12][:3]
_REFUSAL = DeclineReturn(return_id="ret_32", reason="worn", idempotency_key="key_38")
_LABELED, _RENEWAL = CHAPTERS[14][:2]
_PAST, _EXPIRY = CHAPTERS[15]
_KEPT, _KEPT_APPROVAL = CHAPTERS[16][:2]
_COUNTED, _CORRECTION = CHAPTERS[17][:2], CHAPTERS[17][2]
_UNEXPECTED, _UNEXPECTED_DECISION = CHAPTERS[18][:2]
_SENT, _LOSS = CHAPTERS[19][:2]
_HERE, _LOOKED = CHAPTERS[20][:2], CHAPTERS[20][2]
_LAST, _AGAIN = CHAPTERS[20][3:]
_TO_CREDIT, _CREDITED = CHAPTERS[21]
_CLOSED = CHAPTERS[22]
_ANOTHER_TRY = RetryRefund(return_id="ret_69", idempotency_key="key_72")
_ADVANCE, (_CHARGE, _REPORT) = CHAPTERS[24][:2], CHAPTERS[24][2:4]
_REFUSED, _PAYOUT, _TO_CREDIT_AFTER_ALL = CHAPTERS[23][:2], CHAPTERS[23][2], CHAPTERS[23][3]
_ANOTHER_PAYOUT = RecordPayout(
    return_id="ret_69", amount=500, reference="bank_2", idempotency_key="key_another"
)
#: When the goods of an advance had to be sent.
_OVER = timedelta(days=2)
_UNSENT, _UNSENT_CHARGE = first(91), SettleAdvance(exchange_id="exc_91", idempotency_key="key_93")
_UNRESERVED = CHAPTERS[26][0]
_OTHER_GOODS = UpdateExchange(
    exchange_id="exc_93",
    new_items=[NewItem(variant_id="v_cup", quantity=1, unit_price=999)],
    idempotency_key="key_94",
)
_ADVANCE_OFF = CancelExchange(exchange_id="exc_93", idempotency_key="key_95")
_PAID_ON_SENDING, _SENDING = CHAPTERS[28][:2]


#: Races of two commands.
SCENARIOS = {
    "the same request twice": Scenario((), (request(1, 3), request(1, 3))),
    "two requests for the last unit": Scenario((request(1, 19),), (request(2, 1), request(3, 1))),
    "the same receipt twice": Scenario((request(1, 3),), (_RECEIVED, _RECEIVED)),
    "two receipts of the same goods": Scenario(
        (request(1, 3),), (_RECEIVED, _another(_RECEIVED)), is_long=True
    ),
    "two parcels": Scenario(
        (request(1, 3),),
        (evolve(receive(2, 1, 1), more_expected=True), evolve(receive(3, 1, 2), more_expected=True)),
        is_long=True,
    ),
    "two receipts for the last cent": Scenario(
        _OPENED_TWICE, (receive(3, 1, 1), receive(4, 2, 1)), _A_CENT_TOO_LITTLE
    ),
    "two named amounts for the last cent": Scenario(
        _OPENED_TWICE,
        tuple([evolve(receive(n + 2, n, 1), refund_amount=Money(999, "usd")) for n in (1, 2)]),
        _A_CENT_TOO_LITTLE,
    ),
    "a unit too many, and a request for it": Scenario((request(1, 19),), (receive(2, 1, 20), request(3, 1))),
    "a receipt and a cancellation": Scenario((request(1, 3),), (_RECEIVED, _CANCELED)),
    "the same cancellation twice": Scenario((request(1, 3), receive(2, 1, 1)), (_CANCELED, _CANCELED)),
    "a cancellation and a timer": Scenario(_WAITING, (evolve(_CANCELED, return_id="ret_9"), Resume.RESUME)),
    "a receipt and a timer": Scenario(_WAITING, (receive(10, 9, 1), Resume.RESUME)),
    "two timers after a refund without an answer": Scenario(
        (request(1, 3), _RECEIVED), (Resume.RESUME, Resume.RESUME), was_away=["payments.refund"]
    ),
    "two timers": Scenario(_WAITING, (Resume.RESUME, Resume.RESUME)),
    "a receipt and its notification": Scenario(
        (request(1, 3),), (_RECEIVED, _notification(RefundReversed(), "ret_1-refund-1"))
    ),
    "the same notification twice": Scenario(
        _PENDING, (_notification(RefundReversed()), _notification(RefundReversed()))
    ),
    "notifications out of order": Scenario(
        _PENDING, (_notification(RefundReversed()), _notification(RefundSucceeded()))
    ),
    "a retry and a notification": Scenario(_PENDING, (CHAPTERS[3][4], _notification(RefundReversed()))),
    "the same retry twice": Scenario(_DECLINED, (_RETRIED, _RETRIED)),
    "two retries": Scenario(_DECLINED, (_RETRIED, _another(_RETRIED))),
    "a retry and a timer": Scenario(_DECLINED, (_RETRIED, Resume.RESUME)),
    "a resolution and another parcel": Scenario(
        (request(1, 3), receive(2, 1, 1)),
        (ResolveReturn(return_id="ret_1", idempotency_key="key_3"), receive(4, 1, 2)),
    ),
    "an exchange's payment and its cancellation": Scenario((exchange(1, 1, 2000),), (_PAID, _EXCHANGE_OFF)),
    "an exchange's payment and its parcel": Scenario((exchange(1, 1, 2000),), (_PAID, receive(2, 1, 1))),
    "the same claim twice": Scenario((), (claim(1, "refund"), claim(1, "refund"))),
    "a claim and a request for the last unit": Scenario(
        (request(1, 19),), (claim(2, "refund"), request(3, 1))
    ),
    "the same price reduction twice": Scenario((), (reduce(1, 500), reduce(1, 500))),
    "two price reductions of the last unit": Scenario(
        (request(1, 1, 4, label=False),), (reduce(2, 4000), reduce(3, 4000))
    ),
    "a price reduction and a request for its unit": Scenario(
        (request(1, 1, 4, label=False),), (reduce(2, 500), request(3, 1, 1, label=False))
    ),
    "goodwill and a parcel": Scenario(
        (request(1, 3, label=False),), (goodwill(2, 250), receive(3, 1, 3)), is_long=True
    ),
    "an approval and its refusal": Scenario((_REVIEWED,), (_APPROVAL, _REFUSAL)),
    "the same approval twice": Scenario((_REVIEWED,), (_APPROVAL, _APPROVAL)),
    "the same approval of what is kept twice": Scenario((_KEPT,), (_KEPT_APPROVAL, _KEPT_APPROVAL)),
    "two approvals of what is kept": Scenario((_KEPT,), (_KEPT_APPROVAL, _another(_KEPT_APPROVAL))),
    "an update and a parcel": Scenario((_REVIEWED, _APPROVAL), (_UPDATE, receive(36, 32, 2))),
    "an update and a request for its unit": Scenario(
        (request(1, 17), _REVIEWED, _APPROVAL), (_UPDATE, request(3, 2)), is_long=True
    ),
    "two renewals": Scenario((_LABELED,), (_RENEWAL, _another(_RENEWAL)), is_long=True),
    "an expiry and a timer": Scenario((_PAST,), (_EXPIRY, Resume.RESUME)),
    "an expiry and a parcel": Scenario((_PAST,), (_EXPIRY, receive(44, 42, 1))),
    "the same correction twice": Scenario(_COUNTED, (_CORRECTION, _CORRECTION)),
    "two corrections": Scenario(_COUNTED, (_CORRECTION, _another(_CORRECTION))),
    "a correction and a timer": Scenario(
        _COUNTED, (_CORRECTION, Resume.RESUME), was_away=["inventory.restock"]
    ),
    "a correction and a late parcel": Scenario(_COUNTED, (_CORRECTION, receive(51, 48, 1))),
    "the same unexpected parcel twice": Scenario((), (_UNEXPECTED, _UNEXPECTED)),
    "an unexpected parcel and a request for its unit": Scenario(
        (request(1, 19),), (_UNEXPECTED, request(3, 1))
    ),
    "a decision and another foreign parcel": Scenario(
        (_UNEXPECTED,), (_UNEXPECTED_DECISION, receive(54, 53, 1))
    ),
    "a lost parcel and its arrival": Scenario((_SENT,), (_LOSS, receive(58, 56, 1))),
    "the same inspection twice": Scenario(_HERE, (_LOOKED, _LOOKED)),
    "two inspections of the same goods": Scenario(_HERE, (_LOOKED, _another(_LOOKED)), is_long=True),
    "the last inspection twice": Scenario((*_HERE, _LOOKED), (_LAST, _another(_LAST)), is_long=True),
    "the same goods graded again twice": Scenario(
        (*_HERE, _LOOKED, _LAST), (_AGAIN, _another(_AGAIN)), is_long=True
    ),
    "an inspection and a timer": Scenario(
        (*_HERE, _LOOKED), (_LAST, Resume.RESUME), was_away=["inventory.dispose"], is_long=True
    ),
    "a claim's cancellation and a timer": Scenario(
        (claim(1, "refund", refund_amount=0, shipping_option_id="post"),),
        (CancelClaim(claim_id="claim_1", idempotency_key="key_2"), Resume.RESUME),
        was_away=["fulfillment.book_return"],
    ),
    "the same parcel for credit twice": Scenario((_TO_CREDIT,), (_CREDITED, _CREDITED)),
    "two timers after credit without an answer": Scenario(
        (_TO_CREDIT, _CREDITED), (Resume.RESUME, Resume.RESUME), was_away=["credits.give"]
    ),
    "a closed card and two timers": Scenario(
        _CLOSED, (Resume.RESUME, Resume.RESUME), was_away=["payments.refund"], is_long=True
    ),
    "the same payout twice": Scenario(_REFUSED, (_PAYOUT, _PAYOUT)),
    "a payout and a retry": Scenario(
        _REFUSED, (_PAYOUT, RetryRefund(return_id="ret_69", idempotency_key="key_72"))
    ),
    "a payout and a retry by credit": Scenario(_REFUSED, (_PAYOUT, _TO_CREDIT_AFTER_ALL)),
    "two payouts": Scenario(_REFUSED, (_PAYOUT, _ANOTHER_PAYOUT)),
    "the same charge twice": Scenario(_ADVANCE, (_CHARGE, _CHARGE), later=_OVER),
    "a charge twice": Scenario(_ADVANCE, (_CHARGE, _another(_CHARGE)), later=_OVER),
    "a charge and the goods": Scenario(_ADVANCE, (_CHARGE, receive(89, 85, 1)), later=_OVER),
    "a charge and a timer": Scenario((_UNSENT,), (_UNSENT_CHARGE, Resume.RESUME), later=_OVER),
    "the goods and a timer that charges": Scenario(
        (_UNSENT,), (receive(92, 91, 1), Resume.RESUME), later=_OVER, is_long=True
    ),
    "two timers after a charge without an answer": Scenario(
        (_UNSENT, _UNSENT_CHARGE), (Resume.RESUME, Resume.RESUME), was_away=["holds.charge"]
    ),
    "other new goods and a cancellation": Scenario((_UNRESERVED,), (_OTHER_GOODS, _ADVANCE_OFF)),
    "a cancellation and a timer that reserves": Scenario(
        (_UNRESERVED,), (_ADVANCE_OFF, Resume.RESUME), was_away=["inventory.reserve"]
    ),
    "the same sending that is paid twice": Scenario((_PAID_ON_SENDING,), (_SENDING, _SENDING)),
    "a sending that is paid and its parcel": Scenario((_PAID_ON_SENDING,), (_SENDING, receive(102, 100, 1))),
    "a sending that is paid and its cancellation": Scenario(
        (_PAID_ON_SENDING,), (_SENDING, evolve(_CANCELED, return_id="ret_100"))
    ),
    "a sending that is paid and a request": Scenario((_PAID_ON_SENDING,), (_SENDING, request(3, 1))),
    "a sending that is paid and a receipt for the last cent": Scenario(
        (request(1, 1, label=False), _PAID_ON_SENDING), (_SENDING, receive(4, 1, 1)), _A_CENT_TOO_LITTLE
    ),
    "a charge and its report": Scenario((*_ADVANCE, _CHARGE), (_REPORT, Resume.RESUME)),
    "a release and a timer": Scenario(
        (first(91),), (receive(92, 91, 1), Resume.RESUME), was_away=["holds.release"]
    ),
    "an archive and a late notification": Scenario(
        CHAPTERS[0], (Archive.ARCHIVE, _notification(RefundReversed(), "ret_1-refund-1"))
    ),
    "an archive and a request": Scenario(CHAPTERS[0], (Archive.ARCHIVE, request(3, 1))),
    "a redaction and a request": Scenario(redacted(CHAPTERS[0])[:-1], (Redact.REDACT, request(3, 1))),
    "a redaction twice": Scenario(redacted(CHAPTERS[0])[:-1], (Redact.REDACT, Redact.REDACT)),
    "a redaction and a timer": Scenario(
        (*redacted((request(9, 2),))[:-1],),
        (Redact.REDACT, Resume.RESUME),
        was_away=["fulfillment.book_return"],
    ),
}

#: Races of three commands.
CROWDS = {
    "a receipt twice and a cancellation": Scenario((request(1, 3),), (_RECEIVED, _RECEIVED, _CANCELED)),
    "a receipt twice and a timer": Scenario(_WAITING, (receive(10, 9, 1), receive(10, 9, 1), Resume.RESUME)),
    "a retry twice and a notification": Scenario(
        _PENDING, (CHAPTERS[3][4], CHAPTERS[3][4], _notification(RefundReversed()))
    ),
    "three requests for two units": Scenario(
        (request(1, 18),), (request(2, 1), request(3, 1), request(4, 1))
    ),
}
