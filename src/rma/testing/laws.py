"""
What holds whatever happens: the laws that our own stateful machine and every `World` are held to.

A law looks at one order with everything around it, at a moment at which nobody acts, and says what is
wrong, in words; nothing if it holds. `broken` asks all of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import frozen

from rma.delivery import is_news
from rma.domain.change import replay
from rma.domain.effects import RefundDeclined, RefundRequest, ReturnShipment
from rma.domain.events import Event, GoodsReceived, ReturnCanceled, ReturnRequested
from rma.domain.ledger import ReturnLedger
from rma.domain.order import Order, OrderStatus
from rma.domain.refunds import RefundStatus, in_force
from rma.domain.returns import ReturnStatus
from rma.domain.views import ReturnableItem
from rma.testing.books import Books

#: Why a line can not come back at all, whatever is left of it.
_REFUSALS = {"order_canceled", "item_not_returnable", "return_window_closed"}

#: How a refund is spelled in the gateway's books that stands like this in the ledger.
_STANDING = {
    RefundStatus.PENDING: {"RefundPending"},
    RefundStatus.SUCCEEDED: {"RefundSucceeded"},
    RefundStatus.FAILED: {"RefundDeclined", "RefundReversed", "NoneType"},
    RefundStatus.REVERSED: {"RefundDeclined", "RefundReversed"},
}


@frozen(kw_only=True)
class Scene:
    """
    One order with everything around it.

    Attributes:
        order, ledger, history, returnable, order_version: as a service over the host's ports tells them.
        stored_ledger, stored_events: what the store said it has stored.
        stale: revisions that changes expected and that were not there, though the store took them.
        published: what the publisher took, in the order in which it first did.
        books: how the gateway sees the refunds.
        shipments: what the carrier answered, by key.
        stock: units in stock because of this order's returns, by item id; None where it can not be told,
            since something is on its way.
    """

    order: Order
    ledger: ReturnLedger
    history: tuple[Event, ...]
    returnable: tuple[ReturnableItem, ...]
    order_version: int
    stored_ledger: ReturnLedger
    stored_events: tuple[Event, ...]
    stale: tuple[int, ...]
    published: Mapping[str, Event]
    books: Books
    shipments: Mapping[str, list[ReturnShipment]]
    stock: Mapping[str, int] | None = None


Law = Callable[[Scene], Iterator[str]]


def broken(laws: Iterable[Law], scene: Scene) -> list[str]:
    """What is wrong, each with the name of its law."""
    return [f"{law.__name__}: {what}" for law in laws for what in law(scene)]


def units_are_conserved(scene: Scene) -> Iterator[str]:
    """Fulfilled units are at the customer, announced, or back; nowhere twice."""
    quantities = {each.item_id: each for each in scene.returnable}
    for line in scene.order.items:
        announced = arrived = 0
        for each in scene.ledger.returns:
            for item in each.items:
                if min(item.received_quantity, item.damaged_quantity, item.missing_quantity) < 0:
                    yield f"{each.id} counts units of {item.item_id} below 0"
                if item.item_id == line.id:
                    arrived += item.arrived_quantity
                    announced += item.missing_quantity if each.is_open else 0
        left = line.fulfilled_quantity - line.returned_quantity - announced - arrived
        if left < 0:
            yield (
                f"{line.id}: {line.returned_quantity} back before, {announced} announced and {arrived} "
                f"arrived, of {line.fulfilled_quantity} fulfilled"
            )
        found = quantities[line.id]
        if ("order_canceled" in found.reasons) != (scene.order.status is OrderStatus.CANCELED):
            yield f"{line.id}: {found.reasons} on an order that is {scene.order.status}"
        returnable = 0 if _REFUSALS & set(found.reasons) else max(0, left)
        if found.quantity != returnable:
            yield f"{line.id}: {found.quantity} returnable, not {returnable}"


def stock_holds_what_is_sellable(scene: Scene) -> Iterator[str]:
    """Once every effect is delivered: what arrived undamaged, unless it went back."""
    if scene.stock is None or scene.ledger.open_effects:
        return
    sellable: Counter[str] = Counter()
    for each in scene.ledger.returns:
        for item in each.items:
            sellable[item.item_id] += item.received_quantity
    for item_id, units in scene.stock.items():
        if units != sellable[item_id]:
            yield f"{item_id}: {units} in stock, {sellable[item_id]} came back sellable"


def no_payment_gives_back_more_than_it_captured(scene: Scene) -> Iterator[str]:
    """As the gateway saw it, and as the ledger counts it."""
    for payment in scene.order.payments:
        given_back = scene.books.given_back(scene.order.id, payment.id)
        ours = in_force(each for each in scene.ledger.refunds if each.payment_id == payment.id)
        if not given_back <= ours <= payment.captured.amount:
            yield (
                f"{payment.id}: {given_back} given back, {ours} in force by the ledger, "
                f"{payment.captured.amount} captured"
            )


def no_refund_is_made_twice(scene: Scene) -> Iterator[str]:
    """Under one key a gateway acts once, whatever its class."""
    for refund in scene.ledger.refunds:
        if (times := scene.books.refunds_made(refund.key)) > 1:
            yield f"{refund.key}: made {times} times"


def no_refusal_moves_money(scene: Scene) -> Iterator[str]:
    """Who takes a time-out for a refusal pays again under the next key."""
    for refund in scene.ledger.refunds:
        answers = scene.books.answers.get(refund.key, ())
        if any(isinstance(each, RefundDeclined) for each in answers) and scene.books.refunds_made(refund.key):
            yield f"{refund.key}: refused, and made"


def no_refund_is_made_unknown_to_the_ledger(scene: Scene) -> Iterator[str]:
    """Whatever the gateway was asked for is in the ledger, with its payment and amount."""
    refunds = {refund.key: (refund.payment_id, refund.amount) for refund in scene.ledger.refunds}
    for key, request in scene.books.requests.items():
        if request.order_id != scene.order.id:
            continue
        if refunds.get(key) != (request.payment_id, request.amount):
            yield f"{key}: {request.amount} of {request.payment_id} asked for, {refunds.get(key)} recorded"


def each_return_is_paid_what_was_granted_and_no_more(scene: Scene) -> Iterator[str]:
    """What is due is what was granted less what is in force."""
    for each in scene.ledger.returns:
        if not 0 <= each.refunded <= max(each.granted, 0):
            yield f"{each.id}: {each.refunded} in force, {each.granted} granted"
        if each.amount_due.amount != each.granted - each.refunded:
            yield f"{each.id}: {each.amount_due} due of {each.granted}, {each.refunded} in force"
        if each.status is ReturnStatus.RECEIVED and each.refund_amount.amount != each.granted:
            yield f"{each.id}: received, shows {each.refund_amount}, {each.granted} granted"
        if each.status is ReturnStatus.CANCELED and each.granted:
            yield f"{each.id}: canceled, {each.granted} granted"


def every_amount_is_explained(scene: Scene) -> Iterator[str]:
    """Parts add up to their parent, and no refund is negative."""
    for each in scene.ledger.returns:
        if each.refund_amount.amount < 0:
            yield f"{each.id}: a refund of {each.refund_amount}"
        if sum(part.amount.amount for part in each.breakdown) != each.refund_amount.amount:
            yield f"{each.id}: {each.refund_amount} is not the sum of {each.breakdown}"
        for part in each.breakdown:
            if part.parts and sum(each.amount.amount for each in part.parts) != part.amount.amount:
                yield f"{each.id}: {part.name}, {part.amount}, is not the sum of {part.parts}"


def pools_are_what_returns_left(scene: Scene) -> Iterator[str]:
    """Held shares and what remains are what was paid; nothing in them is negative."""
    for pool in scene.ledger.pools(scene.order, [item.id for item in scene.order.items]).values():
        if pool.quantity < 0 or (any(pool.sums) and not pool.quantity):
            yield f"{pool.line.item_id}: {pool.quantity} units remain, worth {pool.sums}"
        for part in pool.line.part(pool.sums).parts:
            sign = -1 if part.name.startswith("discount:") else 1
            if sign * part.amount.amount < 0:
                yield f"{pool.line.item_id}: {part.amount} remain of {part.name}"


def history_alone_rebuilds_the_ledger(scene: Scene) -> Iterator[str]:
    """Open effects included."""
    if replay(scene.order.id, scene.history) != scene.ledger:
        yield f"{len(scene.history)} events come to another ledger than revision {scene.ledger.revision}"


def the_store_keeps_what_it_took(scene: Scene) -> Iterator[str]:
    """All of the last commit, and the events of every one."""
    if scene.ledger != scene.stored_ledger:
        revisions = scene.stored_ledger.revision, scene.ledger.revision
        yield "revision {} was stored, revision {} is loaded, and they differ".format(*revisions)
    if scene.history != scene.stored_events:
        yield f"{len(scene.stored_events)} events were stored, {len(scene.history)} are told, and they differ"


def the_store_refuses_what_is_stale(scene: Scene) -> Iterator[str]:
    """Of two processes that change the same revision, one is told to decide again."""
    if scene.stale:
        yield f"changes of revisions {scene.stale} were stored over others"


def the_order_version_counts_what_the_customer_notices(scene: Scene) -> Iterator[str]:
    """Requests, receipts and cancellations."""
    changes = sum(
        isinstance(event, ReturnRequested | GoodsReceived | ReturnCanceled) for event in scene.history
    )
    if scene.order_version != scene.order.version + changes:
        yield f"{scene.order_version}, not {scene.order.version} and {changes} changes"


def every_event_is_published_in_order(scene: Scene) -> Iterator[str]:
    """Each that the ledger calls published reached the publisher, as it is in the history."""
    published = [event for event in scene.published.values() if event.order_id == scene.order.id]
    places = [(event.revision, event.number) for event in published]
    if places != sorted(places):
        yield f"out of order: {places}"
    news = [event for event in scene.history if is_news(event)]
    if published != news[: len(published)]:
        yield f"{[event.event_id for event in published]} is not how the history begins"
    missing = [event.event_id for event in news[len(published) :] if event.revision <= scene.ledger.published]
    if missing:
        yield f"never published: {missing}"


def each_open_effect_belongs_to_a_fact(scene: Scene) -> Iterator[str]:
    """It is under its own key, and a refund is in its return."""
    refunds = {refund.key for refund in scene.ledger.refunds}
    for key, effect in scene.ledger.open_effects.items():
        if key != effect.request.key:
            yield f"{effect.request.key} is open under {key}"
        if isinstance(effect.request, RefundRequest) and key not in refunds:
            yield f"{key} is a refund of no return"


def a_carrier_books_once(scene: Scene) -> Iterator[str]:
    """A key that is repeated gives the first answer."""
    for key, answers in scene.shipments.items():
        if any(answer != answers[0] for answer in answers):
            yield f"{key}: {answers}"


#: What holds at every moment at which nobody acts.
LAWS: tuple[Law, ...] = (
    units_are_conserved,
    stock_holds_what_is_sellable,
    no_payment_gives_back_more_than_it_captured,
    no_refund_is_made_twice,
    no_refusal_moves_money,
    no_refund_is_made_unknown_to_the_ledger,
    each_return_is_paid_what_was_granted_and_no_more,
    every_amount_is_explained,
    pools_are_what_returns_left,
    history_alone_rebuilds_the_ledger,
    the_store_keeps_what_it_took,
    the_store_refuses_what_is_stale,
    the_order_version_counts_what_the_customer_notices,
    every_event_is_published_in_order,
    each_open_effect_belongs_to_a_fact,
    a_carrier_books_once,
)


def nothing_is_open(scene: Scene) -> Iterator[str]:
    """Every effect has its outcome, every event is published; what needs attention is known to do so."""
    for key, effect in scene.ledger.open_effects.items():
        yield f"{key}, after {effect.attempts} attempts: {effect.last_error}"
    if scene.ledger.published < scene.ledger.revision:
        yield f"published up to {scene.ledger.published} of {scene.ledger.revision}"


def refunds_stand_as_the_gateway_says(scene: Scene) -> Iterator[str]:
    """All but those that need attention, of which nobody can tell."""
    for refund in scene.ledger.refunds:
        if refund.status is RefundStatus.NEEDS_ATTENTION or scene.books.is_unknown(refund.key):
            continue
        stands = scene.books.stands(refund.key)
        if type(stands).__name__ not in _STANDING[refund.status]:
            yield f"{refund.key}: {refund.status} in the ledger, {stands} at the gateway"


def what_is_in_force_left_the_payments(scene: Scene) -> Iterator[str]:
    """No more and no less, unless a refund needs attention."""
    for payment in scene.order.payments:
        ours = [each for each in scene.ledger.refunds if each.payment_id == payment.id]
        if any(
            each.status is RefundStatus.NEEDS_ATTENTION or scene.books.is_unknown(each.key) for each in ours
        ):
            continue
        given_back = scene.books.given_back(scene.order.id, payment.id)
        if in_force(ours) != given_back:
            yield f"{payment.id}: {in_force(ours)} in force, {given_back} given back"


#: What holds besides once faults have stopped, `resume` has nothing left, and everything was told.
LAWS_AT_REST: tuple[Law, ...] = (
    nothing_is_open,
    refunds_stand_as_the_gateway_says,
    what_is_in_force_left_the_payments,
)


def changed_by_a_repeat(before: Mapping[str, ReturnLedger], after: Mapping[str, ReturnLedger]) -> list[str]:
    """Ids of the orders to which more happened than that what was outstanding went out."""
    return [
        order_id
        for order_id, now in after.items()
        if (now.changes, now.answered) != (before[order_id].changes, before[order_id].answered)
        or [each.id for each in now.returns] != [each.id for each in before[order_id].returns]
        or (now != before[order_id] and not _has_outstanding(before[order_id]))
    ]


def _has_outstanding(ledger: ReturnLedger) -> bool:
    return bool(ledger.open_effects) or ledger.published < ledger.revision
